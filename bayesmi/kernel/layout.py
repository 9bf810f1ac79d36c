"""The program's format: positions in the integer records that the kernel reads and `build/write_program.py` writes.

A program is one buffer of 8-byte words: a header of three integers (words in all, floats, integers), the floats F, the
integers I. I begins with the global record; everything else is reached by offsets into F, I and the parameter vector.
-1 means "none".
"""

from __future__ import annotations

# global record, at I[0]
(
    G_DIMENSIONS,
    G_FACTORS,
    G_FACTOR_TABLE,
    G_EXPANDED,
    G_BLOCKS,
    G_BLOCK_TABLE,
    G_CELLS,
    G_CELL_TABLE,
    G_ROWS,
    G_UNITS,  # rows (and combinations) with integrated cells
    G_UNIT_MOST,  # most cells in one unit
    G_UNIT_MEANS,  # cells of all units, and the sum of their squares: of the work vectors
    G_UNIT_SQUARES,
    G_UNIT_SIZES,  # I: cells of each unit
    G_UNIT_EXPANDED,  # I: its expanded row, or -1
    G_UNIT_LIMITED,  # I: which of its cells lies between limits, or -1
    G_UNIT_ENDS,  # F: (lower, upper) limit of that cell
    G_UNIT_MEMBERS,  # I: start of each unit's members, one more than units
    G_MEMBERS,  # I: (factor, table row, I of its entries) by member
    G_ALIKE,  # classes of further units, into whose rows the cells enter alike: how many
    G_ALIKE_TABLE,  # I: their records
    G_PATTERNS,  # pattern blocks: units with the same cells, from their cross products
    G_PATTERN_TABLE,  # I: their records
    G_CONSTANT,  # F: parts of the density that depend on the data only
    G_BASE,  # F: log weight of each entry of the expansion
    G_SYSTEMS,  # sets of group effects that are integrated out together: how many
    G_SYSTEM_TABLE,  # I: their records
    GLOBAL_SIZE,
) = range(28)

# effects that are integrated out together: groups, effects of each and of the outer group around it, equations and I of (place
# of the equation's root in the work vector of roots, its effects) of each; how many of the effects are the group's own, outer
# groups and I of which of them each group lies in
J_GROUPS, J_WIDTH, J_EQUATIONS, J_TABLE, J_INNER, J_OUTERS, J_OUTER_OF, J_SIZE = range(8)

# pattern block: rows, cells, members, width of the stacked columns, F of their cross products, I of the members
(
    T_ROWS,
    T_CELLS,
    T_MEMBERS,
    T_WIDTH,
    T_GRAM,
    T_MEMBER_TABLE,
    T_SYSTEM,  # number of the set of effects that is integrated out of its rows, or -1
    T_GROUPS,  # groups that its rows are in: how many
    T_GROUP_TABLE,  # I: their numbers
    T_BESIDE,  # columns that the effects are multiplied with: how many
    T_BESIDE_COLUMNS,  # I: which of the stacked columns
    T_CROSS,  # F: (groups, their number, width) cross products of these with all
    T_TERMS,  # effects in the members' predictors
    T_TERM_TABLE,  # I: (member, which of the columns beside, number among the set's effects, coefficient or -1) of each
    T_SIZE,
) = range(15)
# member of a pattern block: factor, first of its stacked columns, I of its entries, terms of its groups and I of (column among
# its own, place in the work vector of effects, the factor's coefficient that multiplies it or -1) of each
M_FACTOR, M_START, M_ENTRIES, M_TERMS, M_TERM_TABLE, M_SIZE = range(6)

# units into whose rows the cells enter alike: units, cells of each, I of their expanded rows or -1, members, I of (factor, I of
# the table rows of the units, I of its entries) of each
N_UNITS, N_CELLS, N_EXPANDED, N_MEMBERS, N_MEMBER_TABLE, N_SIZE = range(6)

# how a cell of the unit enters a member: by a constant (-1 where it is its response), through design columns and through
# group effects: (number of columns, I of the columns, F of the weights, F of the constant, number of effects, I of their
# places in the work vector of effects, F of their weights)
ENTRY_COLUMNS, ENTRY_WEIGHTS, ENTRY_CONSTANT, ENTRY_EFFECTS, ENTRY_PLACES, ENTRY_SLOPES, ENTRY_SIZE = range(
    1, 8
)
# member of a unit or of a class of units: like that of a pattern block, factor first and I of the entries third
MEMBER_ENTRIES, MEMBER_SIZE = M_ENTRIES, 3

# cell record: sampled cells of one variable: raw vector in x, count, F offset of (location, spread)
C_X, C_N, C_F, C_SIZE = range(4)

# block of the expansion: first entry, units, combinations a unit, I of the units' parent entries (-1: none)
B_START, B_ROWS, B_COMBINATIONS, B_PARENTS, B_SIZE = range(5)

# factor record
(
    F_FAMILY,  # -1: a further linear predictor of the factor before it
    F_PARTNERS,  # further linear predictors, whose records follow
    F_MODE,  # MODE_ROWS or MODE_STATISTICS
    F_ROWS,  # distinct rows
    F_COUNTS,  # F: plain rows that each stands for (0: it belongs to entries of the expansion only), or -1: one each
    F_ROW_START,  # offset of its rows in the work vectors
    F_COLUMNS,  # design columns, links not counted
    F_LINKS,
    F_LINK_TABLE,
    F_INTERCEPT_X,
    F_COEFFICIENTS_X,  # -1: known to be one
    F_AUX,  # parameters of the family: records
    F_AUX_TABLE,
    F_AUX_N,  # and numbers in all
    F_CONSTANTS,  # F: numbers of the family that are not sampled, such as bounds
    F_CONSTANTS_N,
    F_TRIALS,  # F: trials of each row, or -1: one each
    F_SCALE,  # F offset of (location, spread)
    F_WHITENING,
    F_CENTERS,
    F_CLASSES,  # rows of the design
    F_CLASS_CODES,  # I: which of them each row has, or -1: one each
    F_CLASS_START,  # offset of the classes in their work vector
    F_DESIGN,
    F_OWN,  # design columns that differ within classes: how many
    F_OWN_COLUMNS,  # I
    F_OWN_DESIGN,  # F: (columns, rows)
    F_RESPONSE,
    F_OFFSET,
    F_PAIRS,  # (entry of the expansion, row) pairs
    F_PAIR_ENTRIES,
    F_PAIR_ROWS,
    F_PLAIN,  # rows of which so many are plain and each further one stands for an entry, in order; else -1
    F_PLAIN_TOTAL,  # plain rows that these stand for
    F_FIRST_ENTRY,  # entry of the first row that is not plain
    F_RESPONSE_CELLS,  # number of latent responses
    F_RESPONSE_VARIABLE,  # cell record number
    F_RESPONSE_POSITIONS,
    F_RESPONSE_INDEX,
    F_SLABS,
    F_SLAB_TABLE,
    F_EFFECTS,
    F_EFFECT_TABLE,
    F_COLLAPSED,  # number of the collapsed effect
    F_GRAM,
    F_INTERCEPT_PRIOR,
    F_INTERCEPT_AT_MEANS,
    F_COEFFICIENT_PRIORS,
    F_UNITS,  # I: unit of each row, or -1: rows with integrated cells
    F_REGRESSION,  # I: record of the group-level regression that is sampled given the groups' values, or -1
    F_SCALE_EQUATION,  # number of the record whose predictor is the log of the first family parameter by row, or -1
    F_SELECTION_EQUATION,  # number of the record whose predictor says whether the response is seen, or -1
    F_SELECTED,  # F: kind of each row (below)
    F_INTERVALS,  # rows whose density is, or is divided by, the probability of an interval: how many
    F_INTERVAL_ROWS,  # I: (row, 1 where it is divided)
    F_INTERVAL_ENDS,  # F: (low, high) as responses come
    F_OUTCOME,  # of a selection equation: number of the record of its outcome, else -1
    F_SIZE,
) = range(58)

# rows of a factor with a selection equation: the response is seen; it is not, but it is a cell with a value; it is not,
# and has been integrated out; the selection equation says nothing about it
SELECTED, NOT_SELECTED_KNOWN, NOT_SELECTED, BY_DESIGN = range(4)

# parameters of a family: place in x, how many, transform, F of locations, first of them among the factor's numbers,
# F of the prior, whether it sits at the predictors' means, which of ordered numbers is free: others are gaps to both sides
A_X, A_N, A_TRANSFORM, A_F, A_START, A_PRIOR, A_AT_MEANS, A_ANCHOR, A_SIZE = range(9)
TRANSFORM_LOG, TRANSFORM_ORDERED, TRANSFORM_IDENTITY, TRANSFORM_LOGIT = range(4)

MODE_ROWS, MODE_STATISTICS = 0, 1

# slab record: how latent cells of one variable enter a matrix
S_VARIABLE, S_N, S_POSITIONS, S_INDEX, S_COLUMNS_N, S_COLUMNS, S_WEIGHTS, S_SIZE = range(8)

# link record: factor and effect whose group effects are a predictor
L_FACTOR, L_EFFECT, L_POSITION, L_CODES, L_SCALE, L_SIZE = range(
    6
)  # L_SCALE: F offset of (typical sd, floor), or -1: the coefficient as it is

# group-level regression: effect and its position, coefficients, I of their places in x, F of the number of units of x that
# one is, F of X (G, P), F of the precisions of their priors, links and I of (column, number of the link) of each, columns
# of the design beside them in what the groups show and I of these, offset in the work vector of regressions, F of the
# information of the groups' rows and of what they say (adaptive effects) or -1
(
    R_EFFECT,
    R_POSITION,
    R_P,
    R_PLACES,
    R_UNITS,
    R_STATIC,
    R_PRECISION,
    R_LINKS,
    R_LINK_TABLE,
    R_REST,
    R_REST_TABLE,
    R_WORK,
    R_INFORMATION,
    R_SAID,
    R_SIZE,
) = range(15)

# effect record
(
    E_GROUPS,
    E_Q,
    E_TREATMENT,
    E_CENTRED,  # how many of sampled effects are centred: the first ones
    E_CODES,
    E_Z,
    E_ZZ,
    E_ZX,
    E_SD_X,
    E_SD_SCALES,  # F offset: sd = scale log(1 + exp(x))
    E_SD_PRIORS,
    E_BLOCKS,
    E_BLOCK_TABLE,  # I: (start, stop, x of partials, F of Beta shapes), or (start, stop, -1, F of known partials)
    E_EFFECTS_X,
    E_SCALE,  # F offset
    E_SLABS,
    E_SLAB_TABLE,
    E_U,  # offset of its (G, q) effects in the work vector of effects
    E_L,  # offset of its (q, q) root in the work vector of roots
    E_SHIFT,  # F: (q, G, p) how coefficients enter centred effects, or -1
    E_SHIFT_INTERCEPT,  # the effect that takes the intercept, or minus the threshold that is free; or -1
    E_SHIFT_THRESHOLD,  # x of that threshold, or -1
    E_CELLS,  # sampled cells in centred effects: how many
    E_CELL_TABLE,  # I: (group, effect, column, cell record, index) of each
    E_CELL_WEIGHTS,  # F
    E_LINKS,  # links in centred effects: how many
    E_LINK_TABLE,  # I: (number of the link, effect) of each
    E_ELSEWHERE,  # first of the effects that belong to the selection equation
    E_ELSEWHERE_SHIFT,  # F: (their number, G, p of that equation) how its coefficients enter them where centred, or -1
    E_ELSEWHERE_INTERCEPT,  # the effect that takes its intercept, or -1
    E_UNSEEN,  # I: 1 for groups whose effects are not centred although the others' are (G,), or -1
    E_SIZE,
) = range(32)

COLLAPSE, SAMPLED, SHARED = range(
    3
)  # collapse: alone (F_COLLAPSED) or in a set; shared: the effects of an earlier record, with a Z of its own

# prior record in F: code, normalising constant, three arguments
P_CODE, P_CONSTANT, P_A, P_B, P_C, P_SIZE = range(6)
