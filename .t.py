import warnings, time, os
os.environ["BAYESMI_DATA"]="/work/shared/data"
import bayesmi as bmi, numpy as np, pandas as pd
d=bmi.datasets.load("antidepressant"); print(d.dtypes.to_dict())
warnings.simplefilter("default")
m=bmi.trial.TrialModel("CHANGE ~ THERAPY + BASVAL", d, subject="PATIENT", visit="VISIT", arm="THERAPY", reference="PLACEBO", events="dropout", strategy="J2R")
print(m)
t=time.time(); r=m.conditional_mean(); print(r, time.time()-t)
t=time.time(); r=m.conditional_mean(variance="information-anchored"); print(r, time.time()-t)
