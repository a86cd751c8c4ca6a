"""A surgery in the style of pydantic 1 and SQLAlchemy 1: runs on FastAPI 0.88 and on the newest."""

import os
from datetime import date, datetime
from typing import List, Optional

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, Field, validator
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    func,
)
from sqlalchemy.ext.declarative import declarative_base
from sqlalchemy.orm import Session, relationship, sessionmaker

SQLALCHEMY_DATABASE_URL = os.environ.get("DATABASE_URL", "sqlite:///./surgery.db")
connect_args = {"check_same_thread": False} if SQLALCHEMY_DATABASE_URL.startswith("sqlite") else {}
engine = create_engine(SQLALCHEMY_DATABASE_URL, connect_args=connect_args)
SessionLocal = sessionmaker(autocommit=False, autoflush=False, bind=engine)
Base = declarative_base()

treats = Table(
    "vet_patient",
    Base.metadata,
    Column("vet_id", ForeignKey("vets.id"), primary_key=True),
    Column("patient_id", ForeignKey("patients.id"), primary_key=True),
)


class Vet(Base):
    __tablename__ = "vets"

    id = Column(Integer, primary_key=True, index=True)
    name = Column(String, nullable=False)
    email = Column(String, unique=True, index=True)
    is_active = Column(Boolean, default=True)
    patients = relationship("Patient", secondary=treats, back_populates="vets")


class Patient(Base):
    __tablename__ = "patients"
    __table_args__ = (UniqueConstraint("owner", "name", name="one_name_per_owner"),)

    id = Column(Integer, primary_key=True, index=True)
    owner = Column(String(80), nullable=False)
    name = Column(String(80), nullable=False)
    species = Column(Enum("cat", "dog", "other", name="species"), nullable=False)
    weight = Column(Float)
    born = Column(Date)
    vets = relationship("Vet", secondary=treats, back_populates="patients")
    visits = relationship("Visit", back_populates="patient", order_by="Visit.at")


class Visit(Base):
    __tablename__ = "visits"

    id = Column(Integer, primary_key=True)
    patient_id = Column(Integer, ForeignKey("patients.id", ondelete="CASCADE"), nullable=False)
    at = Column(DateTime, server_default=func.now(), nullable=False)
    notes = Column(Text, default="")
    patient = relationship("Patient", back_populates="visits")


class Drug(Base):
    __tablename__ = "drugs"

    id = Column(Integer, primary_key=True)
    practice = Column(Integer, nullable=False, index=True)
    name = Column(String(60), nullable=False)
    dose = Column(Integer, default=1)
    notes = Column(Text)
    is_active = Column(Boolean, default=True, nullable=False)
    stored_at = Column(DateTime, server_default=func.now(), nullable=False)


Base.metadata.create_all(bind=engine)


class PatientBase(BaseModel):
    owner: str = Field(..., max_length=80)
    name: str = Field(..., max_length=80)
    species: str = "other"
    weight: Optional[float] = None
    born: Optional[date] = None

    @validator("species")
    def species_is_known(cls, value):
        if value not in ("cat", "dog", "other"):
            raise ValueError("unknown species")
        return value


class PatientCreate(PatientBase):
    pass


class PatientOut(PatientBase):
    id: int

    class Config:
        orm_mode = True
        from_attributes = True


class VisitOut(BaseModel):
    id: int
    at: datetime
    notes: Optional[str]

    class Config:
        orm_mode = True
        from_attributes = True


class DrugCreate(BaseModel):
    name: str = Field(..., max_length=60)
    dose: Optional[int] = None
    notes: Optional[str] = None


class DrugUpdate(BaseModel):
    name: Optional[str] = Field(None, max_length=60)
    dose: Optional[int] = None
    notes: Optional[str] = None
    is_active: Optional[bool] = None


class DrugOut(DrugCreate):
    id: int
    practice: int
    is_active: bool

    class Config:
        orm_mode = True
        from_attributes = True


def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


def current_practice(x_practice: Optional[int] = Header(None)) -> int:
    if x_practice is None:
        raise HTTPException(status_code=401, detail="No practice")
    return x_practice


app = FastAPI(title="Surgery")


@app.get("/patients/", response_model=List[PatientOut])
def read_patients(skip: int = 0, limit: int = 100, db: Session = Depends(get_db)):
    return db.query(Patient).order_by(Patient.id).offset(skip).limit(limit).all()


@app.post("/patients/", response_model=PatientOut)
def create_patient(patient: PatientCreate, db: Session = Depends(get_db)):
    stored = Patient(**patient.dict())
    db.add(stored)
    db.commit()
    db.refresh(stored)
    return stored


@app.get("/patients/{patient_id}", response_model=PatientOut)
def read_patient(patient_id: int, db: Session = Depends(get_db)):
    patient = db.query(Patient).filter(Patient.id == patient_id).first()
    if patient is None:
        raise HTTPException(status_code=404, detail="Patient not found")
    return patient


@app.get("/patients/{patient_id}/visits", response_model=List[VisitOut])
def read_visits(patient_id: int, q: str = None, db: Session = Depends(get_db)):
    return db.query(Visit).filter(Visit.patient_id == patient_id).order_by(Visit.at).all()


@app.delete("/patients/{patient_id}")
def delete_patient(patient_id: int, db: Session = Depends(get_db)):
    patient = db.query(Patient).filter(Patient.id == patient_id).first()
    if patient is None:
        raise HTTPException(status_code=404, detail="Patient not found")
    db.delete(patient)
    db.commit()
    return {"ok": True}


@app.get("/drugs/", response_model=List[DrugOut])
def read_drugs(
    skip: int = 0,
    limit: int = 100,
    db: Session = Depends(get_db),
    practice: int = Depends(current_practice),
):
    drugs = db.query(Drug).filter(Drug.practice == practice)
    return drugs.order_by(Drug.name, Drug.id.desc()).offset(skip).limit(limit).all()


@app.post("/drugs/", response_model=DrugOut)
def create_drug(
    drug: DrugCreate, db: Session = Depends(get_db), practice: int = Depends(current_practice)
):
    stored = Drug(**drug.dict(), practice=practice)
    db.add(stored)
    db.commit()
    db.refresh(stored)
    return stored


@app.get("/drugs/{drug_id}", response_model=DrugOut)
def read_drug(
    drug_id: int, db: Session = Depends(get_db), practice: int = Depends(current_practice)
):
    drug = db.query(Drug).filter(Drug.id == drug_id, Drug.practice == practice).first()
    if drug is None:
        raise HTTPException(status_code=404, detail="Drug not found")
    return drug


@app.put("/drugs/{drug_id}", response_model=DrugOut)
def update_drug(
    drug_id: int,
    drug: DrugUpdate,
    db: Session = Depends(get_db),
    practice: int = Depends(current_practice),
):
    stored = db.query(Drug).filter(Drug.id == drug_id, Drug.practice == practice).first()
    if not stored:
        raise HTTPException(status_code=404, detail="Drug not found")
    for field, value in drug.dict(exclude_unset=True).items():
        setattr(stored, field, value)
    db.commit()
    db.refresh(stored)
    return stored


@app.delete("/drugs/{drug_id}")
def delete_drug(
    drug_id: int, db: Session = Depends(get_db), practice: int = Depends(current_practice)
):
    drug = db.query(Drug).filter_by(id=drug_id, practice=practice).one_or_none()
    if drug is None:
        raise HTTPException(status_code=404, detail="Drug not found")
    db.delete(drug)
    db.commit()
    return {"ok": True}
