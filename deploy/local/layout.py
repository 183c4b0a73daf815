"""Where things are in the repository."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
POM = ROOT / "deploy/local/pom.xml"
LOG4J = ROOT / "deploy/local/log4j2.properties"
TARGET = ROOT / "deploy/local/target"
JARS = TARGET / "kafka"
FRONTEND = ROOT / "frontend"
