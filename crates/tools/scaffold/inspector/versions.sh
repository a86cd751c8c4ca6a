#!/bin/sh
# Inspects the sample in the style of pydantic 1 with FastAPI of many versions, each in a virtual
# environment of its own below target/inspector, and checks what it reads.
set -eu
python=${PYTHON:-python3}
sample=crates/tools/scaffold/tests/applications/surgery

check='
import json, sys
found = json.load(open(sys.argv[1]))
remarks = [remark for remark in found["remarks"] if "create_all" not in remark["what"]]
assert not remarks, remarks
assert len([route for route in found["routes"] if route["in_document"]]) == 5
visits = next(one for one in found["routes"] if one["path"].endswith("/visits"))
assert visits["dependant"]["order"] == ["patient_id", "q", "db"], visits
assert visits["dependant"]["dependencies"][0]["yields"]
q = visits["dependant"]["parameters"][1]
assert q["none_is_default"] and q["annotation"] == "str", q
model = found["models"]["main.PatientCreate"]
assert model["validators"][0]["call"] == "main.PatientBase.species_is_known", model
tables = [table["name"] for table in found["metadata"][0]["tables"]]
assert sorted(tables) == ["patients", "vet_patient", "vets", "visits"], tables
assert len(found["metadata"][0]["ddl"]["postgres"]) == 8
versions = found["versions"]
print(*(f"{name} {versions[name]}" for name in ("python", "fastapi", "pydantic", "sqlalchemy")))
'

inspect() { # name, packages
    folder=target/inspector/$1
    shift
    if ! [ -e "$folder/.complete" ]; then
        "$python" -m venv "$folder"
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
        touch "$folder/.complete"
    fi
    target/debug/scaffold inspect --app main:app --directory "$sample" \
        --python "$folder/bin/python" --output "$folder/found.json" > "$folder/log" ||
        { cat "$folder/log"; exit 1; }
    "$folder/bin/python" -c "$check" "$folder/found.json"
}

inspect 0.88 'fastapi==0.88.0' 'pydantic<2' 'sqlalchemy==1.4.54'
inspect 0.99 'fastapi==0.99.1' 'pydantic<2' 'sqlalchemy<2.1'
inspect 0.100 'fastapi==0.100.1' 'pydantic==2.0.3' 'sqlalchemy<2.1'
inspect 0.110 'fastapi==0.110.0' 'pydantic==2.7.0' 'sqlalchemy==2.0.30'
inspect 0.115 'fastapi==0.115.6' 'pydantic<2.11' 'sqlalchemy<2.1'
inspect newest fastapi sqlalchemy
