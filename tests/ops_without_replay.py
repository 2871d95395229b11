"""Rows of the op table that refuse to be traced, and what the values decide there."""

EXCEPT: dict[str, str] = {
    "implicit.fixed_point": "how many steps it takes to converge",
    "integrate.odeint": "the step sizes, by the error of each step",
    "real_if_close": "the dtype of the result",
    "trim_zeros": "the shape of the result",
}
