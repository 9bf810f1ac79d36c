"""Reference models, written by hand in PyMC with plain latents, for reading and for tests.

Each module tells one generative story and offers

- ``PARAMETERS``: the values that the simulation takes unless told otherwise, by posterior name;
- ``simulate(rng, ..., **parameters) -> (DataFrame, truth)``: one data set with holes and everything behind it
  (parameters, group effects, the values of the missing cells), by posterior name;
- ``scales(data) -> dict``: the constants of the priors, from observed cells only;
- ``build(data, priors=None) -> pm.Model``: every missing value and every group effect a latent. ``priors``
  overrides single entries of ``scales(data)``; with all of them fixed the priors are proper and know nothing
  of the data, as simulation-based calibration needs;
- ``marginal_logp(data, parameters) -> float``: log density of what was observed given the parameters, with
  missing cells and group effects integrated (or summed) out by the textbook formula or by brute force, in
  numpy. Parameters are given by posterior name, as ``truth`` holds them.

Names
-----
The analysis model has Bambi's bare names: ``Intercept``, ``sex``, ``sigma``, ``1|school`` (dim
``school__factor_dim``), ``1|school_sigma``, ``sex|school``; correlations of group effects are
``school__corr`` (dim ``school__corr_dim``, one entry a pair, labelled ``Intercept~~sex``). Every other factor
carries its variable's name in front: ``x__Intercept``, ``x__sigma``, ``x__1|school_sigma``; ``x__between(z)``
is the coefficient of the group means of z; the observed part of an incomplete covariate is ``x__observed``.
The missing cells of x are ``cell__x`` with dim ``x__cell``, whose coordinate is the row label. ``__obs__``
are the rows in which the response is observed.

Default priors
--------------
mean and sd (divisor n - 1) are over the observed cells of the column in row form, also for a column that is
constant within groups; y is the response of the factor at hand, for the factor of an incomplete covariate
that covariate.

===========================  ===============================  =================================
parameter                    Gaussian factor                  binary factor (logit, probit)
===========================  ===============================  =================================
slope of x_j                 Normal(0, 2.5 sd(y) / sd(x_j))   Normal(0, 2.5 / sd(x_j))
``Intercept_centered``       Normal(mean(y), 2.5 sd(y))       Normal(0, 2.5)
``sigma``                    HalfStudentT(4, sd(y))           none
``1|g_sigma``                HalfNormal(sd(y))                HalfNormal(pi / sqrt(3))
``x|g_sigma``                HalfNormal(sd(y) / sd(x))        HalfNormal(pi / sqrt(3) / sd(x))
correlations                 LKJ(2)                           LKJ(2)
===========================  ===============================  =================================

Predictors enter centred at their observed means: ``Intercept_centered`` is the expectation of y (or its
logit) at the means, ``Intercept = Intercept_centered - sum_j mean(x_j) slope_j``. For two group effects
LKJ(2) is rho = 2 Beta(2, 2) - 1, density proportional to 1 - rho^2. pi / sqrt(3) is the residual sd of the
logistic distribution.
"""

import pytensor

# wheels carry no BLAS to link; without this PyTensor warns when it compiles a matrix product
pytensor.config.blas__ldflags = ""
