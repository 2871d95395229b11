"""Findings of the reviews of the first edition, and the tests that would have found each.

Every finding had a reproducer. Those of what is left as it is name a section of docs/conventions.md
instead, "# Section", where the reason stands; its code is run by tests/test_docs.py. Ids are those
of the reviews: B, D and F are defects, H those of code written for HIPS autograd, C the checker's
blind spots, A accuracy, S newcomers' stumbles, M their mistakes, U mutants that survived.
tests/test_findings.py looks whether all of this exists.
"""

from __future__ import annotations

TESTS = {
    "accuracy": "autograd/test_accuracy.py",
    "activation": "nn/test_activation.py",
    "algorithms": "optim/test_algorithms.py",
    "assignment": "autograd/ops/test_assignment.py",
    "attributes": "autograd/protocols/test_functions.py",
    "callbacks": "nn/test_callbacks.py",
    "changes": "autograd/engine/test_changes.py",
    "checker": "autograd/testing/test_checker.py",
    "checkpoint": "nn/test_checkpoint.py",
    "contract": "autograd/testing/test_contract.py",
    "conv": "nn/test_conv.py",
    "cumulative": "autograd/ops/test_cumulative.py",
    "data": "nn/test_data.py",
    "debug": "autograd/test_debug.py",
    "docs": "test_docs.py",
    "elementwise": "autograd/ops/test_elementwise.py",
    "exponential_sums": "autograd/ops/test_exponential_sums.py",
    "files": "nn/test_files.py",
    "filtering": "autograd/ops/test_filtering.py",
    "fit": "nn/test_fit.py",
    "forward": "autograd/transforms/test_forward.py",
    "function": "autograd/test_function.py",
    "gradients": "autograd/transforms/test_gradients.py",
    "graph": "autograd/engine/test_graph.py",
    "implicit": "autograd/test_implicit.py",
    "in_place": "autograd/ops/test_in_place.py",
    "indexing": "autograd/ops/test_indexing.py",
    "integrate": "autograd/test_integrate.py",
    "linalg": "autograd/test_linalg.py",
    "loss": "nn/test_loss.py",
    "mistakes": "test_first_mistakes.py",
    "mode": "autograd/engine/test_mode.py",
    "module": "nn/test_module.py",
    "normalization": "nn/test_normalization.py",
    "op_table": "autograd/ops/test_op_table.py",
    "optim_checkpoint": "optim/test_checkpoint.py",
    "optimizer": "optim/test_optimizer.py",
    "parameter": "nn/test_parameter.py",
    "primitive": "autograd/engine/test_primitive.py",
    "products": "autograd/transforms/test_products.py",
    "property": "autograd/testing/test_property.py",
    "publication": "autograd/test_publication.py",
    "reciprocal": "autograd/ops/test_reciprocal_trigonometry.py",
    "reductions": "autograd/ops/test_reductions.py",
    "reproducers": "autograd/testing/test_reproducers.py",
    "scipy": "autograd/protocols/test_scipy.py",
    "shaping": "autograd/ops/test_shaping.py",
    "special": "autograd/test_special.py",
    "stats": "autograd/test_stats.py",
    "ufuncs": "autograd/protocols/test_ufuncs.py",
    "variable": "autograd/test_variable.py",
    "wrong_rules": "autograd/testing/test_wrong_rules.py",
}

_ANSWER = "mistakes: the answer names what was wanted and what to write"

# id: (what it was, then tests as "file: words of the name" or "# section of the conventions")
FINDINGS: dict[str, tuple[str, ...]] = {
    # -- review of the code ------------------------------------------------------------------------
    "B1": (
        "masks multiplied: sqrt(relu(x)) had the gradient nan at x < 0",
        "activation: an infinite cotangent at a dead unit is zero",
        "op_table: an infinite cotangent contributes zero where the slope is zero",
        "# Left as it is",
    ),
    "B2": (
        "defvjp after the first call was ignored by unary and binary",
        "primitive: a rule that is attached again takes the place of the first",
    ),
    "B3": (
        "half of the functions could not be pickled",
        "publication: what is public can be pickled",
    ),
    "B4": (
        "spence''(1) was 0",
        "special: the second derivative of spence at 1 is that of its series",
    ),
    "B5": (
        "rgamma'' at poles was half of its value",
        "special: rgamma is regular at and near the poles of gamma",
    ),
    "B6": (
        "log_ndtr' far to the left cancelled",
        "special: the slope of log ndtr is minus x and its curvature minus 1 far to the left",
    ),
    "B7": (
        "erfcx' and dawsn' cancelled far out",
        "special: erfcx and dawsn keep their digits far out",
    ),
    "B8": (
        "factors of logsumexp did not broadcast, and those of 0 counted for the peak",
        "exponential_sums: logsumexp broadcasts its factors",
        "exponential_sums: a factor of 0 leaves its element out however large",
    ),
    "B9": (
        "values of set_at and add_at with extra axes failed",
        "assignment: leading axes of length 1 are dropped from values as in numpy",
    ),
    "B10": (
        "set_grad_enabled and decorators lost observers",
        "mode: observers see what is computed behind other switches",
        "mode: the debug mode knows the lines behind other switches",
    ),
    "B11": (
        "centered RMSprop became nan where the gradient did not change",
        "algorithms: a constant gradient does not end centered rmsprop",
    ),
    "B12": (
        "statistics of float16 overflowed",
        "reductions: statistics of float16 are taken in float32",
        "normalization: half precision is normalised in single precision",
        "# dtypes",
    ),
    "B13": (
        "products that are subnormal were divided",
        "reductions: products that are subnormal are not divided",
        "cumulative: running products that are subnormal are not divided",
    ),
    "B14": (
        "gradients of big-endian data were little-endian",
        "graph: a gradient has the byte order of its data",
        "graph: a gradient has the dtype of its data",
    ),
    "B15": (
        "interp next to infinities was nan",
        "filtering: values next to infinities are those of numpy",
    ),
    "B16": (
        "slopes of arccsch and arcsech near 0 underflowed",
        "reciprocal: the slopes of inverses near 0 neither underflow nor overflow",
    ),
    "B17": (
        "sqrtm of an empty matrix was refused",
        "linalg: the square root of an empty matrix is empty",
    ),
    "B18": (
        "logit near 1/2 lost digits",
        "special: logit near one half keeps the digits of the distance",
    ),
    "B19": (
        "normalize of float16 zeros was nan",
        "normalization: zeros are normalised to zeros with a finite gradient",
    ),
    "B20": ("register_hook returned no handle", "graph: a removed hook is silent"),
    "B21": (
        "primitive showed internals, and stumbled over them",
        "primitive: what the library alone may know is no argument",
    ),
    "B22": (
        "an index array was kept by reference",
        "indexing: an index array may change after it was used",
    ),
    # -- reliability -------------------------------------------------------------------------------
    "D1": (
        "check_gradients passed wrong rules on inputs above 1,024 elements",
        "wrong_rules: a rule that is wrong everywhere is found at any size",
        "wrong_rules: one wrong entry is found at any size",
        "wrong_rules: an error without a place is still an error",
    ),
    "D2": (
        "frozen or detached data changed before the backward pass went unnoticed",
        "changes: loading a state into a frozen layer is found",
        "changes: a constant changed before the backward pass is found",
        "changes: the update of a gan between forward and backward is found",
        "changes: two variables over one buffer are one memory",
    ),
    "D3": (
        "small integer exponents wrapped around in the rule of powers",
        "elementwise: powers with small integers as exponents",
        "op_table: small integers as constants give the derivatives of floats",
    ),
    "D4": (
        "errors of 1 % in single precision alone passed",
        "wrong_rules: single precision is held to what it can hold",
        "checker: a rule that is wrong in single precision only is found",
    ),
    "D5": (
        "a hook that wrote into its gradient changed others'",
        "graph: a hook cannot write into what others are given",
        "function: backward cannot write into what it is given",
        "wrong_rules: a cotangent is not written to",
    ),
    "D6": ("mark_changed of a result was ignored", "changes: mark changed on a result counts"),
    "D7": (
        "overlapping tasks, threads and Ctrl-C left recording off",
        "mode: tasks whose blocks overlap leave the mode as it was",
        "mode: a task that waits in its block leaves the others alone",
        "mode: one switch whose blocks overlap in two threads",
        "mode: ctrl c at any moment leaves recording on",
        "# Left as it is",
    ),
    "D8": (
        "decorated coroutines and generators recorded",
        "mode: whatever runs later is decorated where it runs",
    ),
    "D9": (
        "load_state_dict could stop half-way",
        "module: read only data are refused before anything changes",
        "optimizer: read only data are refused before anything changes",
        "checkpoint: ctrl c at any line of load state dict leaves it old or new",
        "checkpoint: a key that a schedule adds to a group does not outlive a failed load",
    ),
    "D10": (
        "numbers that a Function kept were constants to second derivatives",
        "function: second derivatives flow through containers",
        "function: second derivatives through numbers computed in forward are refused",
        "function: second derivatives through what forward leaves on the class are refused",
        "# Left as it is",
    ),
    "D11": (
        "nn.load leaked errors, and inflated bombs",
        "files: an array that is none is described",
        "files: mutated files are loaded or refused and never anything else",
        "files: a bomb is refused before it is inflated",
        "files: a bomb that hides its size is cut off",
        "files: a header costs a small multiple of its length",
        "files: two arrays of one name are refused",
        "checkpoint: extra states of the wrong kind are refused",
    ),
    "D12": (
        "litter of killed saves, permissions, long names, states of the wrong kind",
        "files: what a killed save left goes with the next one",
        "files: a file keeps its permissions",
        "files: names as long as the file system allows can be saved",
        "checkpoint: a state of the wrong kind is refused and changes nothing",
        "module: values that the dtype cannot hold are refused",
    ),
    "D13": (
        "lost masks, arguments written to, arrays lent, memory shared, hooks that return anything",
        "variable: masked arrays are refused because hidden values would count",
        "function: forward cannot write into its arguments",
        "products: results share no memory with what was given",
        "optimizer: two parameters over one memory are refused",
        "graph: a hook that returns no gradient of its variable is refused",
        "graph: a hook that runs its own graph is refused",
    ),
    # -- random programs, compared with another library --------------------------------------------
    "F1": (
        "add_at read past values that it had to broadcast",
        "assignment: values are broadcast before they are added",
    ),
    "F2": (
        "second derivatives of readings beside functions of zero derivative failed",
        "indexing: readings beside functions of zero derivative have second derivatives",
    ),
    "F3": (
        "transpose(0) failed in the backward pass",
        "shaping: the only axis may be named by a number",
    ),
    "F4": (
        "hypot.reduce of one element was negative",
        "ufuncs: reduce of one element begins with the identity",
    ),
    "F5": (
        "dtypes of float32 results differed from NumPy's",
        "reductions: an initial value leaves the dtype alone as in numpy",
        "# dtypes",
    ),
    "F6": (
        "edges of reduce, accumulate and repeat",
        "ufuncs: reduce of empty arrays is numpys",
        "ufuncs: accumulate takes the only axis in every spelling",
        "shaping: repeating nothing gives a gradient of zero",
    ),
    "F7": (
        "refusals that did not explain",
        "attributes: an argument without a counterpart is refused by name",
        "attributes: where with a condition alone gives places",
        "indexing: take of a single number is numpys",
    ),
    # -- code written for HIPS autograd ------------------------------------------------------------
    "H1": (
        "Variables did not defer to types that answer ufuncs themselves",
        "ufuncs: a type that answers ufuncs itself is left to do so",
    ),
    "H2": (
        "results without a gradient gave zeros in silence",
        "gradients: a result that is no variable is a constant with a warning",
        "gradients: truth values and integers have no derivative",
    ),
    "H3": (
        "messages for defvjp with makers, parameters that are None or integers",
        "primitive: rules by position are told the spelling here",
        "gradients: integers are refused",
        "# Left as it is",
    ),
    # -- wrong rules that the checker let through --------------------------------------------------
    "C1": (
        "errors in a precision that was not given",
        "wrong_rules: precisions that nobody gave are generated",
        "contract: a failure with complex operands says how to leave them out",
    ),
    "C2": (
        "layouts of the incoming cotangent",
        "wrong_rules: a rule may not depend on the layout of its cotangent",
    ),
    "C3": (
        "memory shared across calls or with saved data",
        "wrong_rules: results in one buffer for all calls are found",
        "wrong_rules: saved data in one buffer for all calls are found",
    ),
    "C4": (
        "rules that are not linear away from size 1",
        "wrong_rules: a rule has to be linear at every size of its cotangent",
    ),
    "C5": (
        "one object as two operands",
        "wrong_rules: one object as two operands is tried",
        "contract: one object may be two operands",
    ),
    "C6": (
        "shapes that are drawn too rarely",
        "wrong_rules: shapes are drawn on purpose",
        "property: shapes and layouts are drawn on purpose",
    ),
    "C7": ("side effects of a rule", "wrong_rules: side effects on global state are found"),
    # -- accuracy, beside the cells of the accuracy table ------------------------------------------
    "A1": (
        "logsumexp and logaddexp far from 0",
        "exponential_sums: shares far from 0 come from differences and add up to 1",
        "elementwise: logaddexp far from 0 shares by the difference",
    ),
    "A2": (
        "t to its degrees of freedom",
        "stats: the slope of t in many degrees of freedom is no difference",
    ),
    "A3": (
        "beta and betaln in the larger argument",
        "special: the slope of betaln in the larger argument is no difference of psi",
    ),
    "A4": (
        "t.logcdf in the tail",
        "stats: the logarithm of the tails of t is that of their leading terms",
    ),
    "A5": (
        "log_ndtr'' much earlier",
        "special: the slope of log ndtr is minus x and its curvature minus 1 far to the left",
    ),
    "A6": (
        "erfcx'' and dawsn'' in float32",
        "special: erfcx and dawsn keep their digits far out",
    ),
    "A7": (
        "rgamma'' near poles, densities at small shapes",
        "special: rgamma is regular at and near the poles of gamma",
        "special: rgamma keeps float32 near a pole",
        "stats: the density of gamma is regular at shape 0",
        "stats: the density of beta is regular where both shapes are small",
    ),
    "A8": (
        "nan where an intermediate overflows",
        "stats: a density that is 0 has derivatives 0 however small the scale",
        "activation: gelu with tanh has slopes however large its input",
        "linalg: the second derivative of a norm of numbers of unlike size is no nan",
        "elementwise: the second derivative of arctan2 neither overflows nor is nan where it is 0",
    ),
    "A9": (
        "cross entropy near certainty",
        "loss: binary cross entropy keeps the digits of a small probability",
        "loss: binary cross entropy limits what it divides by",
        "loss: a weight of the positive class does not cost the digits of a certain loss",
    ),
    "A10": ("arcsinh' far out", "elementwise: the slope of arcsinh far out is one over x"),
    "A11": (
        "hypot'' and norm''",
        "elementwise: the second derivative of hypot keeps the digits of the smaller operand",
        "linalg: the second derivative of a norm keeps the digits of smaller elements",
    ),
    "A12": (
        "scaled Bessel functions far out",
        "special: scaled bessel functions fall as a root far out",
        "special: so do those of any order",
    ),
    "A13": (
        "saturation",
        "special: logistic slopes keep their digits in both tails",
        "elementwise: saturated functions have slope 0 and no nan",
        "# Digits",
    ),
    # -- newcomers ---------------------------------------------------------------------------------
    "S1": (
        "one sentence for every conversion, which nobody had typed",
        _ANSWER,
        "scipy: the counterpart of a function of scipy is named",
        "integrate: a derivative may be a list",
        "attributes: writing a scalar into an array fails with the functional spelling as cause",
    ),
    "S2": (
        "PyTorch's manual step trained nothing",
        "in_place: pytorchs manual step trains as sgd does",
        "in_place: a leaf is refused while operations are recorded",
    ),
    "S3": (
        "no picture of the graph; the gradient of intermediates is None",
        "variable: repr says what it is",
        "graph: retain grad keeps the gradient of an intermediate",
        "# Gradients in `.grad`",
    ),
    "S4": ("no convolution, no recurrent layers", "conv: conv equals pytorchs"),
    "S5": (
        "names of PyTorch and micrograd",
        _ANSWER,
        "attributes: attributes that only arrays have are explained",
        "graph: a removed hook is silent",
        "# Left as it is",
    ),
    "S6": (
        "float64 crept into models of float32",
        "fit: a float32 model with a float64 loss warns once and says where",
    ),
    "S7": (
        "NumPy's warnings named a line of the library",
        "debug: a forward nan is found on demand",
        "# Left as it is",
    ),
    "S8": (
        "a list as a point was taken for arguments of their own",
        "gradients: a list of numbers that the function cannot take is told np array",
    ),
    "S9": (
        "what was to reproduce a failure did not run",
        "reproducers: a property is called through its function",
        "reproducers: a function class is called through apply",
        "reproducers: a lambda is printed",
    ),
    "S10": (
        "two conventions for complex numbers, one of them unsaid",
        "function: complex gradients follow pytorchs convention",
        "checker: complex functions follow the documented convention",
        "docs: the code of a page runs",
    ),
    "S11": (
        "wrong kinds of arguments of fit",
        _ANSWER,
        "fit: metrics go by well known names",
        "fit: a step takes batches of any form",
        "fit: an optimizer of another model is refused",
        "data: a tuple of arrays is no dataset",
        "# Left as it is",
    ),
    "S12": (
        "a Variable as an attribute was no parameter; memory was shared with the caller",
        "module: a variable that is no parameter warns that it is not found",
        "variable: a variable copies its data as np array does",
        "parameter: training does not change the array that was given",
    ),
    "S13": (
        ".item() inside grad gave 0 in silence",
        "gradients: a result that is no variable is a constant with a warning",
        "# What leaves the graph",
    ),
    "S14": (
        "submodules had to be imported by name",
        "publication: rooms are imported when they are asked for",
    ),
    "S15": (
        "the progress bar hid the numbers",
        "fit: in a terminal every epoch leaves its numbers",
        "fit: in a terminal a bar counts the batches within 80 columns",
    ),
    "S16": (
        "notebooks showed figures twice and progress in red",
        "fit: in a notebook a figure is returned and not shown as well",
        "fit: a notebook gets bar and lines in the output stream",
    ),
    "S17": (
        "private names in messages",
        "gradients: arguments of grad are explained without private names",
        "gradients: a point in the first call is sent to the second",
        "module: pythons own errors name the class that was called",
    ),
    "S18": (
        "arguments of odeint and fixed_point",
        "integrate: an argument outside of a tuple is refused",
        "implicit: what is no function of x or no distance is explained",
    ),
    "S19": (
        "objects that print as an address, outputs without the name of what made them",
        "callbacks: an object shows what it is",
        "callbacks: no public class is forgotten",
        "debug: its repr says what it looks for",
        "variable: repr says what it is",
        "# Left as it is",
    ),
    # -- mutants of the code that no test had noticed ----------------------------------------------
    "U1": ("the conj of a Function", "function: complex gradients follow pytorchs convention"),
    "U2": (
        "plans after defvjp",
        "primitive: a rule that is attached again takes the place of the first",
    ),
    "U3": ("observers", "mode: observers see what is computed behind other switches"),
    "U4": (
        "a tangent of zero in reductions",
        "forward: a tangent of zero stays zero at an infinite slope of a reduction",
    ),
    "U5": (
        "equality of eigenvalues up to rounding",
        "linalg: values that are equal up to rounding are equal",
    ),
    "U6": (
        "singular points of special functions",
        "special: the second derivative of spence at 1 is that of its series",
        "special: rgamma is regular at and near the poles of gamma",
    ),
    "U7": ("the period of interp", "op_table: the forward pass equals numpy"),
    "U8": ("both outputs of gelu at once", "op_table: second derivatives equal differences"),
    "U9": (
        "the threshold of sinc",
        "elementwise: sinc keeps its digits near 0 and at large integers",
    ),
    # -- mistakes: the rows M1 to M43 of the table in test_first_mistakes.py, and ------------------
    "M31": ("dim= of a layer", "activation: dim is another word for axis"),
    "M32": ("dim= of a function", "activation: dim is another word for axis"),
    "M42": ("x.grad * 2 before the backward pass", "# Left as it is"),
}
