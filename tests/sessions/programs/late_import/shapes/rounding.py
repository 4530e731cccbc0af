from autokitteh import activity


@activity
def to_digits(value, digits):
    return round(value, digits)
