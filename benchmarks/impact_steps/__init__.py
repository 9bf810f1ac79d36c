"""Steps of the IMPACT benchmark: the published table, the pooled analysis by lme4, holes in complete rows."""
