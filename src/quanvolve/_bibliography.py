"""The papers behind encodings, ansatze, readouts and methods, as BibTeX."""

from __future__ import annotations

import re

_ENTRIES = r"""
@misc{bergholm2018pennylane,
  author = {Bergholm, Ville and Izaac, Josh and Schuld, Maria and Gogolin, Christian and others},
  title = {{PennyLane}: Automatic differentiation of hybrid quantum-classical computations},
  year = {2018}, eprint = {1811.04968}, archiveprefix = {arXiv}
}
@article{henderson2020quanvolutional,
  author = {Henderson, Maxwell and Shakya, Samriddhi and Pradhan, Shashindra and Cook, Tristan},
  title = {Quanvolutional neural networks: powering image recognition with quantum circuits},
  journal = {Quantum Machine Intelligence}, volume = {2}, pages = {2}, year = {2020},
  doi = {10.1007/s42484-020-00012-y}, eprint = {1904.04767}, archiveprefix = {arXiv}
}
@misc{mari2020demo,
  author = {Mari, Andrea}, title = {Quanvolutional Neural Networks}, howpublished = {PennyLane Demos, Xanadu},
  year = {2020}, url = {https://pennylane.ai/qml/demos/tutorial_quanvolution}
}
@article{mari2020transfer,
  author = {Mari, Andrea and Bromley, Thomas R. and Izaac, Josh and Schuld, Maria and Killoran, Nathan},
  title = {Transfer learning in hybrid classical-quantum neural networks},
  journal = {Quantum}, volume = {4}, pages = {340}, year = {2020},
  doi = {10.22331/q-2020-10-09-340}, eprint = {1912.08278}, archiveprefix = {arXiv}
}
@book{schuld2021machine,
  author = {Schuld, Maria and Petruccione, Francesco}, title = {Machine Learning with Quantum Computers},
  publisher = {Springer}, year = {2021}, doi = {10.1007/978-3-030-83098-4}
}
@article{larose2020robust,
  author = {LaRose, Ryan and Coyle, Brian}, title = {Robust data encodings for quantum classifiers},
  journal = {Physical Review A}, volume = {102}, pages = {032420}, year = {2020},
  doi = {10.1103/PhysRevA.102.032420}, eprint = {2003.01695}, archiveprefix = {arXiv}
}
@article{havlicek2019supervised,
  author = {Havl{\'\i}{\v{c}}ek, Vojt{\v{e}}ch and C{\'o}rcoles, Antonio D. and Temme, Kristan and Harrow, Aram W. and
    Kandala, Abhinav and Chow, Jerry M. and Gambetta, Jay M.},
  title = {Supervised learning with quantum-enhanced feature spaces},
  journal = {Nature}, volume = {567}, pages = {209--212}, year = {2019},
  doi = {10.1038/s41586-019-0980-2}, eprint = {1804.11326}, archiveprefix = {arXiv}
}
@article{perezsalinas2020data,
  author = {P{\'e}rez-Salinas, Adri{\'a}n and Cervera-Lierta, Alba and Gil-Fuster, Elies and Latorre, Jos{\'e} I.},
  title = {Data re-uploading for a universal quantum classifier},
  journal = {Quantum}, volume = {4}, pages = {226}, year = {2020},
  doi = {10.22331/q-2020-02-06-226}, eprint = {1907.02085}, archiveprefix = {arXiv}
}
@article{schuld2020circuit,
  author = {Schuld, Maria and Bocharov, Alex and Svore, Krysta M. and Wiebe, Nathan},
  title = {Circuit-centric quantum classifiers},
  journal = {Physical Review A}, volume = {101}, pages = {032308}, year = {2020},
  doi = {10.1103/PhysRevA.101.032308}, eprint = {1804.00633}, archiveprefix = {arXiv}
}
@article{kandala2017hardware,
  author = {Kandala, Abhinav and Mezzacapo, Antonio and Temme, Kristan and Takita, Maika and Brink, Markus and
    Chow, Jerry M. and Gambetta, Jay M.},
  title = {Hardware-efficient variational quantum eigensolver for small molecules and quantum magnets},
  journal = {Nature}, volume = {549}, pages = {242--246}, year = {2017},
  doi = {10.1038/nature23879}, eprint = {1704.05018}, archiveprefix = {arXiv}
}
@article{cerezo2021cost,
  author = {Cerezo, M. and Sone, Akira and Volkoff, Tyler and Cincio, Lukasz and Coles, Patrick J.},
  title = {Cost function dependent barren plateaus in shallow parametrized quantum circuits},
  journal = {Nature Communications}, volume = {12}, pages = {1791}, year = {2021},
  doi = {10.1038/s41467-021-21728-w}, eprint = {2001.00550}, archiveprefix = {arXiv}
}
@article{arute2019quantum,
  author = {Arute, Frank and Arya, Kunal and Babbush, Ryan and others},
  title = {Quantum supremacy using a programmable superconducting processor},
  journal = {Nature}, volume = {574}, pages = {505--510}, year = {2019}, doi = {10.1038/s41586-019-1666-5}
}
@article{grant2019initialization,
  author = {Grant, Edward and Wossnig, Leonard and Ostaszewski, Mateusz and Benedetti, Marcello},
  title = {An initialization strategy for addressing barren plateaus in parametrized quantum circuits},
  journal = {Quantum}, volume = {3}, pages = {214}, year = {2019},
  doi = {10.22331/q-2019-12-09-214}, eprint = {1903.05076}, archiveprefix = {arXiv}
}
@article{cong2019quantum,
  author = {Cong, Iris and Choi, Soonwon and Lukin, Mikhail D.}, title = {Quantum convolutional neural networks},
  journal = {Nature Physics}, volume = {15}, pages = {1273--1278}, year = {2019},
  doi = {10.1038/s41567-019-0648-8}, eprint = {1810.03787}, archiveprefix = {arXiv}
}
@article{hur2022quantum,
  author = {Hur, Tak and Kim, Leeseok and Park, Daniel K.},
  title = {Quantum convolutional neural network for classical data classification},
  journal = {Quantum Machine Intelligence}, volume = {4}, pages = {3}, year = {2022},
  doi = {10.1007/s42484-021-00061-x}, eprint = {2108.00661}, archiveprefix = {arXiv}
}
@article{vatan2004optimal,
  author = {Vatan, Farrokh and Williams, Colin}, title = {Optimal quantum circuits for general two-qubit gates},
  journal = {Physical Review A}, volume = {69}, pages = {032315}, year = {2004},
  doi = {10.1103/PhysRevA.69.032315}, eprint = {quant-ph/0308006}, archiveprefix = {arXiv}
}
@article{huggins2019towards,
  author = {Huggins, William and Patil, Piyush and Mitchell, Bradley and Whaley, K. Birgitta and
    Stoudenmire, E. Miles},
  title = {Towards quantum machine learning with tensor networks},
  journal = {Quantum Science and Technology}, volume = {4}, pages = {024001}, year = {2019},
  doi = {10.1088/2058-9565/aaea94}, eprint = {1803.11537}, archiveprefix = {arXiv}
}
@article{caro2022generalization,
  author = {Caro, Matthias C. and Huang, Hsin-Yuan and Cerezo, M. and Sharma, Kunal and Sornborger, Andrew and
    Cincio, Lukasz and Coles, Patrick J.},
  title = {Generalization in quantum machine learning from few training data},
  journal = {Nature Communications}, volume = {13}, pages = {4919}, year = {2022},
  doi = {10.1038/s41467-022-32550-3}, eprint = {2111.05292}, archiveprefix = {arXiv}
}
@misc{bowles2024better,
  author = {Bowles, Joseph and Ahmed, Shahnawaz and Schuld, Maria},
  title = {Better than classical? {The} subtle art of benchmarking quantum machine learning models},
  year = {2024}, eprint = {2403.07059}, archiveprefix = {arXiv}
}
@book{nielsen2010quantum,
  author = {Nielsen, Michael A. and Chuang, Isaac L.}, title = {Quantum Computation and Quantum Information},
  publisher = {Cambridge University Press}, year = {2010}, doi = {10.1017/CBO9780511976667}
}
@article{schuld2021effect,
  author = {Schuld, Maria and Sweke, Ryan and Meyer, Johannes Jakob},
  title = {Effect of data encoding on the expressive power of variational quantum-machine-learning models},
  journal = {Physical Review A}, volume = {103}, pages = {032430}, year = {2021},
  doi = {10.1103/PhysRevA.103.032430}, eprint = {2008.08605}, archiveprefix = {arXiv}
}
@article{mitarai2018quantum,
  author = {Mitarai, Kosuke and Negoro, Makoto and Kitagawa, Masahiro and Fujii, Keisuke},
  title = {Quantum circuit learning},
  journal = {Physical Review A}, volume = {98}, pages = {032309}, year = {2018},
  doi = {10.1103/PhysRevA.98.032309}, eprint = {1803.00745}, archiveprefix = {arXiv}
}
@inproceedings{zhang2022escaping,
  author = {Zhang, Kaining and Liu, Liu and Hsieh, Min-Hsiu and Tao, Dacheng},
  title = {Escaping from the barren plateau via {Gaussian} initializations in deep variational quantum circuits},
  booktitle = {Advances in Neural Information Processing Systems}, volume = {35}, year = {2022},
  eprint = {2203.09376}, archiveprefix = {arXiv}
}
@article{markov2008simulating,
  author = {Markov, Igor L. and Shi, Yaoyun}, title = {Simulating quantum computation by contracting tensor networks},
  journal = {SIAM Journal on Computing}, volume = {38}, pages = {963--981}, year = {2008}, doi = {10.1137/050644756}
}
@article{dalibard1992wave,
  author = {Dalibard, Jean and Castin, Yvan and M{\o}lmer, Klaus},
  title = {Wave-function approach to dissipative processes in quantum optics},
  journal = {Physical Review Letters}, volume = {68}, pages = {580--583}, year = {1992},
  doi = {10.1103/PhysRevLett.68.580}
}
"""

BIBLIOGRAPHY: dict[str, str] = {
    match.group(1): match.group(0)
    for match in re.finditer(r"^@\w+\{(\w+),\n.*?^\}$", _ENTRIES, re.DOTALL | re.MULTILINE)
}
"""BibTeX entries by key."""

_FOUND_BY = {
    "'BasicEntanglerLayers'": "bergholm2018pennylane",
    "'Quanvolutional Neural Networks', PennyLane": "mari2020demo",
    "'Machine Learning with Quantum Computers'": "schuld2021machine",
    "Havlicek et al.": "havlicek2019supervised",
    "Vatan and Williams": "vatan2004optimal",
    "Arute et al.": "arute2019quantum",
    "'Quantum Computation and Quantum Information'": "nielsen2010quantum",
}
"""Words of a reference that has no number of arXiv."""


def bibtex_of(reference: str) -> str:
    """The entry of a reference as the catalogue writes it; one made of its words where the paper is not known.

    Examples:
        >>> bibtex_of("Perez-Salinas et al., Quantum 4, 226 (2020), section 2, arXiv:1907.02085").splitlines()[0]
        '@article{perezsalinas2020data,'
        >>> print(bibtex_of("Doe, 'A new encoding' (2031)"))
        @misc{doe2031,
          note = {Doe, 'A new encoding' (2031)}
        }
    """
    number = re.search(r"arXiv:(\d{4}\.\d{4,5})", reference)
    for entry in BIBLIOGRAPHY.values():
        if number and f"eprint = {{{number.group(1)}}}" in entry:
            return entry
    for words, key in _FOUND_BY.items():
        if words in reference:
            return BIBLIOGRAPHY[key]
    name, year = re.match(r"\w*", reference), re.search(r"\((\d{4})\)", reference)
    key = f"{name.group().lower() if name else ''}{year.group(1) if year else ''}"
    return f"@misc{{{key or 'source'},\n  note = {{{reference}}}\n}}"
