"""Rows of the op table that refuse to be traced, and what the values decide there."""

EXCEPT: dict[str, str] = {
    "implicit.fixed_point": "how many steps it takes to converge",
    "integrate.odeint": "the step sizes, by the error of each step",
    "real_if_close": "the dtype of the result",
    "trim_zeros": "the shape of the result",
}

# Rows whose program is right on inputs like those traced, and not on all that the test draws.
UNLIKE: dict[str, str] = {
    "piecewise": "the shape of what each function gets, by how many elements its condition takes",
    "linalg.eig": "the dtype of the result: real eigenvalues or complex ones",
    "linalg.eigvals": "the dtype of the result: real eigenvalues or complex ones",
    "nn.gaussian_nll_loss": "0 times inf at a variance of 0, which only NumPy's report shows",
}
