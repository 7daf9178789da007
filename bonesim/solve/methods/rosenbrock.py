"""Rosenbrock methods in the form that needs no product with the Jacobian, and one step of a batch.

With W = I/(h gamma) - J, the stages of a step from (t, y) are

    W k_i = f(t + c_i h, y + sum_j a_ij k_j) + sum_j (C_ij / h) k_j + h d_i f_t
    y_next = y + sum_j a_sj k_j + k_s,    error = k_s

(stiffly accurate: the last stage is the difference to the embedded solution). Between two output points

    y(t + theta h) = (1 - theta) y + theta (y_next + (1 - theta) (D_0 + theta (D_1 + theta D_2))),  D_r = sum_j H_rj k_j

Hairer & Wanner, Solving Ordinary Differential Equations II, section IV.7, doi:10.1007/978-3-642-05221-7.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bonesim.errors import InternalError
from bonesim.solve.methods.order import residuals


@dataclass(frozen=True)
class Rosenbrock:
    """Coefficients of one method; a wrong digit fails when the module is imported.

    `a`, `C` hold the rows of strictly lower triangular matrices, `H` the rows of the continuous extension,
    which has order `dense_order`.
    """

    name: str
    order: int
    gamma: float
    a: tuple[tuple[float, ...], ...]
    C: tuple[tuple[float, ...], ...]
    H: tuple[tuple[float, ...], ...]
    dense_order: int
    doi: str
    c: tuple[float, ...] = field(init=False)
    d: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        alpha, gamma = self._classical()
        object.__setattr__(self, "c", _clean(alpha.sum(axis=1)))
        object.__setattr__(self, "d", _clean(gamma.sum(axis=1)))
        weights = np.array([*self.a[-1], 1.0])
        self._check("order", weights @ gamma, alpha, gamma, self.order, 1.0)
        self._check("embedded order", np.array([*self.a[-1], 0.0]) @ gamma, alpha, gamma, self.order - 1, 1.0)
        for theta in (0.21, 0.68):
            polynomial = sum(np.array(row) * theta**power for power, row in enumerate(self.H))
            dense = theta * weights + theta * (1 - theta) * polynomial
            self._check("continuous extension", dense @ gamma, alpha, gamma, self.dense_order, theta)

    @property
    def stages(self) -> int:
        """How many linear systems a step solves."""
        return len(self.a)

    def _classical(self) -> tuple[np.ndarray, np.ndarray]:
        """The matrices alpha and gamma_ij (with its diagonal) of the textbook form."""
        gamma = np.linalg.inv(np.eye(self.stages) / self.gamma - _lower(self.C))
        return _lower(self.a) @ gamma, gamma

    def _check(self, what: str, b: np.ndarray, alpha: np.ndarray, gamma: np.ndarray, order: int, theta: float) -> None:
        worst = max(abs(value) for value in residuals(b, alpha, alpha + gamma, order, theta))
        if worst > 1e-11:
            raise InternalError(f"tableau {self.name}: {what} {order} fails by {worst:.1e}")


def _lower(rows: tuple[tuple[float, ...], ...]) -> np.ndarray:
    matrix = np.zeros((len(rows), len(rows)))
    for number, row in enumerate(rows):
        matrix[number, : len(row)] = row
    return matrix


def _clean(sums: np.ndarray) -> tuple[float, ...]:
    """Row sums that are 0 or 1 but for rounding, exactly so: c = 1 is the end of the step, d = 0 needs no f_t."""
    return tuple(float(round(value)) if abs(value - round(value)) < 1e-12 else float(value) for value in sums)


RODAS4 = Rosenbrock(
    name="rodas4",
    order=4,
    gamma=0.25,
    a=(
        (),
        (1.544,),
        (0.9466785280815826, 0.2557011698983284),
        (3.314825187068521, 2.896124015972201, 0.9986419139977817),
        (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950),
        (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1.0),
    ),
    C=(
        (),
        (-5.6688,),
        (-2.430093356833875, -0.2063599157091915),
        (-0.1073529058151375, -9.594562251023355, -20.47028614809616),
        (7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160),
        (8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054),
    ),
    H=(
        (10.12623508344586, -7.487995877610167, -34.80091861555747, -7.992771707568823, 1.025137723295662, 0.0),
        (-0.6762803392801253, 6.087714651680015, 16.43084320892478, 24.76722511418386, -6.594389125716872, 0.0),
    ),
    dense_order=3,
    doi="10.1007/978-3-642-05221-7",
)

RODAS4P = Rosenbrock(
    name="rodas4p",
    order=4,
    gamma=0.25,
    a=(
        (),
        (3.0,),
        (1.831036793486759, 0.4955183967433795),
        (2.304376582692669, -0.05249275245743001, -1.176798761832782),
        (-7.170454962423024, -4.741636671481785, -16.31002631330971, -1.062004044111401),
        (-7.170454962423024, -4.741636671481785, -16.31002631330971, -1.062004044111401, 1.0),
    ),
    C=(
        (),
        (-12.0,),
        (-8.791795173947035, -2.207865586973518),
        (10.81793056857153, 6.780270611428266, 19.53485944642410),
        (34.19095006749676, 15.49671153725963, 54.74760875964130, 14.16005392148534),
        (34.62605830930532, 15.30084976114473, 56.99955578662667, 18.40807009793095, -5.714285714285717),
    ),
    H=(
        (25.09876703708589, 11.62013104361867, 28.49148307714626, -5.664021568594133, 0.0, 0.0),
        (1.638054557396973, -0.7373619806678748, 8.477918219238990, 15.99253148779520, -1.882352941176471, 0.0),
    ),
    dense_order=3,
    doi="10.1007/978-3-642-05221-7",
)

_RODAS5P_LAST = (
    -7.502846399306121,
    2.561846144803919,
    -11.627539656261098,
    -0.18268767659942256,
    0.030198172008377946,
)
RODAS5P = Rosenbrock(
    name="rodas5p",
    order=5,
    gamma=0.21193756319429014,
    a=(
        (),
        (3.0,),
        (2.849394379747939, 0.45842242204463923),
        (-6.954028509809101, 2.489845061869568, -10.358996098473584),
        (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
        _RODAS5P_LAST,
        (*_RODAS5P_LAST, 1.0),
        (*_RODAS5P_LAST, 1.0, 1.0),
    ),
    C=(
        (),
        (-14.155112264123755,),
        (-17.97296035885952, -2.859693295451294),
        (147.12150275711716, -1.41221402718213, 71.68940251302358),
        (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
        (24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471),
        (
            30.91273214028599,
            -3.1208243349937974,
            77.79954646070892,
            34.28646028294783,
            -19.097331116725623,
            -28.087943162872662,
        ),
        (
            37.80277123390563,
            -3.2571969029072276,
            112.26918849496327,
            66.9347231244047,
            -40.06618937091002,
            -54.66780262877968,
            -9.48861652309627,
        ),
    ),
    H=(
        (
            25.948786856663858,
            -2.5579724845846235,
            10.433815404888879,
            -2.3679251022685204,
            0.524948541321073,
            1.1241088310450404,
            0.4272876194431874,
            -0.17202221070155493,
        ),
        (
            -9.91568850695171,
            -0.9689944594115154,
            3.0438037242978453,
            -24.495224566215796,
            20.176138334709044,
            15.98066361424651,
            -6.789040303419874,
            -6.710236069923372,
        ),
        (
            11.419903575922262,
            2.8879645146136994,
            72.92137995996029,
            80.12511834622643,
            -52.072871366152654,
            -59.78993625266729,
            -0.15582684282751913,
            4.883087185713722,
        ),
    ),
    dense_order=4,
    doi="10.1007/s10543-023-00967-x",
)

METHODS = {method.name: method for method in (RODAS4, RODAS4P, RODAS5P)}
