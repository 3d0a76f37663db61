"""Tsitouras 5(4), the seven-stage tableau without its error row.

Ch. Tsitouras, Runge–Kutta pairs of order 5(4) satisfying only the first column simplifying assumption,
Computers & Mathematics with Applications 62 (2011). The last stage only feeds the error estimate, so a
fixed step needs six evaluations.
"""

A = (
    (0.161,),
    (-0.008480655492356989, 0.335480655492357),
    (2.8971530571054935, -6.359448489975075, 4.3622954328695815),
    (5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525),
    (5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383),
)
B = (
    0.09646076681806523,
    0.01,
    0.4798896504144996,
    1.379008574103742,
    -3.290069515436081,
    2.324710524099774,
)


def step(field, add, y, h):
    """One step of y' = field(y); `add(y, k, c)` is y + c·k in the caller's arrays."""
    stages = [field(y)]
    for row in A:
        point = y
        for weight, stage in zip(row, stages):
            point = add(point, stage, h * weight)
        stages.append(field(point))
    for weight, stage in zip(B, stages):
        y = add(y, stage, h * weight)
    return y
