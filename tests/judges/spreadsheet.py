"""LibreOffice Calc: =WEBSERVICE() in the cells of a sheet, typed in by a macro and saved as CSV."""
# needs: soffice
# timeout: 180
import csv
import json
import os
import tempfile
import urllib.parse

import runtime as r

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
LIBRARY = HEAD + """<library:library xmlns:library="http://openoffice.org/2000/library" library:name="Standard"
 library:readonly="false" library:passwordprotected="false"><library:element library:name="Judge"/></library:library>
"""
MODULE = HEAD + """<!DOCTYPE script:module PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "module.dtd">
<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Judge" script:language="StarBasic">
Sub Main
  On Error Goto Failed
  Dim quietly(0) As New com.sun.star.beans.PropertyValue
  quietly(0).Name = "Hidden"
  quietly(0).Value = True
  book = StarDesktop.loadComponentFromURL("private:factory/scalc", "_blank", 0, quietly())
  cells = book.Sheets.getByIndex(0)
  Open "{formulas}" For Input As #1
  Do While Not Eof(1)
    Line Input #1, formula
    cells.getCellByPosition(0, row).setFormula(formula)
    row = row + 1
  Loop
  Close #1
  Dim plainly(1) As New com.sun.star.beans.PropertyValue
  plainly(0).Name = "FilterName"
  plainly(0).Value = "Text - txt - csv (StarCalc)"
  plainly(1).Name = "FilterOptions"
  plainly(1).Value = "44,34,76,1,,0,false,false"
  book.storeToURL("file://{result}", plainly())
  book.close(True)
  StarDesktop.terminate()
  Exit Sub
Failed:
  Open "{result}" For Output As #2
  Print #2, "the macro failed: " + Error
  Close #2
  StarDesktop.terminate()
End Sub
</script:module>
"""
folder = tempfile.mkdtemp()


def office(*words):
    done = r.call(["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", *words])
    assert done.returncode == 0, done


def calculate(formulas):
    """What the cells of one column show, each as text, once its formula was typed in."""
    module = f"{folder}/profile/user/basic/Standard"
    if not os.path.exists(module):
        office("--terminate_after_init")
        with open(f"{module}/script.xlb", "w") as file:
            file.write(LIBRARY)
        with open(f"{module}/Judge.xba", "w") as file:
            file.write(MODULE.format(formulas=f"{folder}/formulas", result=f"{folder}/result.csv"))
    with open(f"{folder}/formulas", "w") as file:
        file.write("\n".join(formulas))
    office("macro:///Standard.Judge.Main")
    with open(f"{folder}/result.csv") as file:
        cells = [row[0] for row in csv.reader(file)]
    os.remove(f"{folder}/result.csv")
    assert len(cells) == len(formulas), cells
    return cells


def address(runtime, row, model="flight-delay", **more):
    query = {name: row[name] for name in r.FEATURES}
    return f"{runtime.url}/predict/{model}?" + urllib.parse.urlencode({**query, **more})


def webservice(url):
    return f'=WEBSERVICE("{url}")'


def test_a_cell_a_row(runtime):
    rows = r.EXPECTED[:12]
    got = calculate([webservice(address(runtime, row)) for row in rows])
    r.check_close(got, r.predictions("flight-delay", 1, rows), "cells")


def counted(runtime):
    status, _, body = runtime.get("/v2/models/flight-delay/versions/1/stats")
    assert status == 200, body
    return json.loads(body)["model_stats"][0]["inference_count"]


def test_a_cell_is_one_prediction(runtime):
    """It looks at the address with OPTIONS and HEAD before it gets it."""
    before = counted(runtime)
    calculate([webservice(address(runtime, row)) for row in r.EXPECTED[20:25]])
    assert counted(runtime) - before == 5, counted(runtime) - before


def test_a_cell_computes_with_the_answer(runtime):
    row = r.whole_rows()[0]
    got = calculate([webservice(address(runtime, row)), "=VALUE(A1)*100", '=IF(VALUE(A1)>=0.5;"late";"in time")'])
    want = r.predictions("flight-delay", 1, [row])[0]
    r.check_close(got[:2], [want, want * 100], "cells")
    assert got[2] == ("late" if want >= 0.5 else "in time"), got


def test_a_model_and_its_formats(runtime):
    row = r.whole_rows()[1]
    number, table = calculate([webservice(address(runtime, row, "arrival-delay")),
                               webservice(address(runtime, row, "arrival-delay", format="csv"))])
    want = r.predictions("arrival-delay", 1, [row])
    r.check_close([number], want, "a number")
    r.check_close([table.split("\n")[1].split(",")[0]], want, "a table")


def test_an_error_is_an_error_in_the_cell(runtime):
    row = r.whole_rows()[0]
    wrong = dict(row, weekday="Monday")
    got = calculate([webservice(address(runtime, row, "nothing")), webservice(address(runtime, wrong)),
                     webservice(address(runtime, row))])
    assert got[0].startswith(("#", "Err:")) and got[1].startswith(("#", "Err:")), got
    r.check_close(got[2:], r.predictions("flight-delay", 1, [row]), "after that")


r.judge(globals())
