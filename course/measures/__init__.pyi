from .expect import expected_curve as expected_curve
from .picture import predict_curve as predict_curve
