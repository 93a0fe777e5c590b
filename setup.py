"""Packaging: everything comes from settings.ini, which nbdev reads too."""
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
settings = ConfigParser()
with open(here / "settings.ini", encoding="utf-8") as file:
    settings.read_file(file)
settings = settings["DEFAULT"]

STATUS = {"1": "1 - Planning", "2": "2 - Pre-Alpha", "3": "3 - Alpha", "4": "4 - Beta", "5": "5 - Production/Stable"}
LICENSES = {"mit": "MIT"}

train, site, dev = (settings[f"{extra}_requirements"].split() for extra in ("train", "site", "dev"))
lib = settings["lib_name"]
oldest = int(settings["min_python"].split(".")[1])

setup(
    name=lib,
    version=settings["version"],
    description=settings["description"],
    long_description=(here / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author=settings["author"],
    author_email=settings["author_email"],
    url=settings["git_url"],
    license=LICENSES[settings["license"]],
    license_files=["LICENSE"],
    keywords=settings["keywords"],
    classifiers=[
        f"Development Status :: {STATUS[settings['status']]}",
        f"Intended Audience :: {settings['audience']}",
        f"Natural Language :: {settings['language']}",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(oldest, 14)),
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    python_requires=f">={settings['min_python']}",
    packages=find_packages(include=[lib, f"{lib}.*"]),
    package_data={lib: ["labels/*", "assets/*.csv", "assets/*.md", "assets/*.json", "assets/*-int8.onnx"]},
    install_requires=settings["requirements"].split(),
    extras_require={"train": train, "site": site, "dev": train + site + dev},
    entry_points={
        "console_scripts": [line.strip() for line in settings["console_scripts"].splitlines() if line.strip()]
    },
    zip_safe=False,
)
