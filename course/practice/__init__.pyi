from .advice import Advice as Advice
from .advice import Gain as Gain
from .advice import advise as advise
from .advice import dealt_anew as dealt_anew
from .options import Answers as Answers
from .question import Curve as Curve
from .question import curve as curve

__all__: list[str]
