"""What is known of every data set: where it comes from, under which licence, its checksum and dtypes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

GPL = "GPL (>= 2) as the package declares for itself"


@dataclass(frozen=True)
class Entry:
    """One data set.

    `levels` makes columns categorical, unordered unless the name is in `ordered`; levels None = as they are
    sorted. `booleans` are the words TRUE and FALSE, in mroz87 with spaces before them.
    """

    name: str
    title: str
    rows: int
    columns: int
    origin: str
    licence: str
    sha256: str
    ships: bool = False
    levels: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    ordered: frozenset[str] = frozenset()
    text: frozenset[str] = frozenset()
    booleans: frozenset[str] = frozenset()

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.name}.csv"


_ENTRIES = (
    Entry(
        "popmis",
        "popularity of pupils in 100 schools, 848 outcomes missing",
        2000,
        7,
        "R package mice 3.15.0, data set popmis (Debian r-cran-mice 3.15.0-1)",
        GPL,
        "d6c8c9a3036b64551e7e9bd6de864654401b58948efd6f38b98dfe6c5040c221",
        ships=True,
    ),
    Entry(
        "nhanes",
        "the small example of Schafer (1997), all numbers",
        25,
        4,
        "R package mice 3.15.0, data set nhanes (Debian r-cran-mice 3.15.0-1)",
        GPL,
        "1699a0efdfa0f1a3a74ef1656ff2927024431abee1be3a5694b5dffb33f39147",
        ships=True,
    ),
    Entry(
        "nhanes2",
        "nhanes with age and hyp as categories",
        25,
        4,
        "R package mice 3.15.0, data set nhanes2 (Debian r-cran-mice 3.15.0-1)",
        GPL,
        "34da04706db842b21e0b50f2e88adb3f8d07a44306f515ca53d64bee4f871a5d",
        ships=True,
        levels={"age": ("20-39", "40-59", "60-99"), "hyp": ("no", "yes")},
    ),
    Entry(
        "sleepstudy",
        "reaction times of 18 subjects over 10 days of sleep deprivation, complete",
        180,
        3,
        "R package lme4 1.1-31, data set sleepstudy (Debian r-cran-lme4 1.1-31-1)",
        GPL,
        "2918bbddf750e78003059efa97b94885b85c4d7927c22a19c29f7fa5a184c59d",
        ships=True,
        levels={"Subject": None},
    ),
    Entry(
        "antidepressant",
        "two-arm antidepressant trial, Hamilton score at visits 4 to 7, drop-out",
        608,
        11,
        "R package rbmi, data set antidepressant_data (DIA Working Group on Estimands and Missing Data)",
        "Apache License (>= 2) as the package declares for itself",
        "3c5f75d605e95c0e1b82bf60d314c8543377401ca4289a162673b94e02f8cfde",
        levels={"THERAPY": ("PLACEBO", "DRUG"), "GENDER": ("F", "M")},
        text=frozenset({"PATIENT", "POOLINV"}),
    ),
    Entry(
        "boys",
        "growth of 748 Dutch boys",
        748,
        9,
        "R package mice 3.15.0, data set boys",
        GPL,
        "5604f74fe971d04491cedf8a0e7a482e12432bf402ef2ab07fc4e8f23bfbf958",
        levels={
            "gen": ("G1", "G2", "G3", "G4", "G5"),
            "phb": ("P1", "P2", "P3", "P4", "P5", "P6"),
            "reg": ("north", "east", "west", "south", "city"),
        },
        ordered=frozenset({"gen", "phb"}),
    ),
    Entry(
        "impact_incomplete",
        "IMPACT: 11 022 patients with traumatic brain injury in 15 studies",
        11022,
        11,
        "GitHub repository hanneoberman/multilevelmice, Data/impact_incomplete.csv without its row numbers",
        "GPL-3 as that repository declares",
        "8cd988da6424651395789d9c5961785cfb2edc06a3b68d1ca20a5a34a7fb7fea",
        levels={
            "name": None,
            "type": ("OBS", "RCT"),
            "motor_score": ("1/2", "3", "4", "5/6"),
            "pupil": ("Both", "None", "One"),
            "ct": ("I/II", "III", "IV/V"),
        },
    ),
    Entry(
        "leadership",
        "simulated work groups with missing values at both levels",
        750,
        5,
        "R package mitml 0.4-4, data set leadership",
        GPL,
        "e57878cfdac7a716962a02e2770d4403b4f144d2c04503d01847cc6e7b2dd8a8",
        levels={"WLOAD": ("low", "high")},
    ),
    Entry(
        "mammalsleep",
        "sleep of 62 mammals (Allison and Cicchetti)",
        62,
        11,
        "R package mice 3.15.0, data set mammalsleep",
        GPL,
        "b5ae2ef4c6b718a9b7b73120389292056e1a8ec93e162cb5fd6a54ad505f7e96",
    ),
    Entry(
        "mroz87",
        "labour force participation and wages of 753 married women",
        753,
        22,
        "R package sampleSelection 1.2-12, data set Mroz87",
        GPL,
        "3487ff6df5880dc3469b016fe0bf4ee92be308e00bed6273cde8d6d941d638b7",
        booleans=frozenset({"wifecoll", "huscoll"}),
    ),
    Entry(
        "obesity",
        "synthetic obesity survey in 5 regions, weight missing not at random",
        2111,
        8,
        "R package micemd 1.10.1, data set Obesity",
        "GPL-2 | GPL-3 as the package declares for itself",
        "867474374f851f88086dcddae181ca3ac5c03d77fa01d7a948dcd23a19a8c585",
        levels={"Gender": ("Female", "Male"), "FamOb": ("no", "yes")},
    ),
    Entry(
        "popncr",
        "popularity of pupils in 100 classes with missing values in five variables",
        2000,
        7,
        "GitHub repository hanneoberman/multilevelmice, Data/popNCR.RDS",
        "GPL-3 as that repository declares",
        "d581435f0de7e4c893a56a32ba085b1db4c6420fec7ffe79e53b57e326ae017b",
    ),
    Entry(
        "potthoffroy",
        "dental growth of 27 children at four ages, complete",
        27,
        6,
        "R package mice 3.15.0, data set potthoffroy",
        GPL,
        "51e0f0fdf4b106b4e9c3528568d175cedf8ca74ff3fc2e9b54d284542ce852b0",
        levels={"sex": ("F", "M")},
    ),
    Entry(
        "randhie_year2",
        "RAND Health Insurance Experiment, year 2 with known education",
        5574,
        20,
        "R package sampleSelection 1.2-12, data set RandHIE: year == 2 & !is.na(educdec), 20 columns",
        GPL,
        "d95b31b0edc3db0af4a5e35be0e68c58263eccdb95e4805dc8ccb0d9533d143e",
    ),
    Entry(
        "share",
        "SHARE sex education trial, 5854 pupils in 25 Scottish schools",
        5854,
        8,
        "GitHub repository stonegold546/prob_sup_inf_mlm_paper, share.dta; original Harvard Dataverse"
        " doi:10.7910/DVN/YXMQZM",
        "none declared; terms not verified",
        "be0f999c45e6fd37b04d3e2285b062f77a223f9e062890141d03cdb1d7465fe6",
    ),
    Entry(
        "she_pyrene",
        "pyrene concentrations, 11 of 56 below eight detection limits",
        56,
        2,
        "R package NADA 1.6-1.1, data set ShePyrene",
        GPL,
        "e086c94fcbe32defaf3c41c233ec7d5c4ccd2e1a9730ca32da65284bc2ef575e",
    ),
    Entry(
        "titanic3",
        "1309 passengers of the Titanic",
        1309,
        14,
        "GitHub repository djnavarro/psyr, data/titanic3.csv without its empty last record (Vanderbilt titanic3)",
        "none declared; terms not verified",
        "c53db38c59c9ddf05a6e009402756e1695bb22a8eb98da8508f10eb1c9a0611d",
        levels={"sex": ("female", "male"), "embarked": ("C", "Q", "S")},
        text=frozenset({"ticket", "boat"}),
    ),
)

CATALOGUE: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}
ALIASES = {"impact": "impact_incomplete", "randhie": "randhie_year2"}
