from course.lesson.calibration import COLUMNS, PLANTED, TIMED, calibrate, patterns_of_no_kind


def number(text: str) -> float:
    return float(text.split()[0])


def test_planted_gabors_are_found_noise_is_not_and_it_is_quick() -> None:
    table = calibrate(n_noise=200)
    assert tuple(table.columns) == COLUMNS
    called, orientation, wavelength, others, noise, seconds = (number(text) for text in table["measured"])
    assert called > 80
    assert orientation >= 95
    assert wavelength >= 95
    assert others == 0
    assert noise <= 5
    assert seconds <= 6  # 0.6 to 0.8 on a quiet core of 2023, 3.2 on an older one beside other tests
    assert table["n"].tolist() == [PLANTED, PLANTED, PLANTED, len(patterns_of_no_kind(11)), 200, TIMED]
