<%
' A shop in classic ASP (VBScript): what buy.asp and webhook.asp share. Every page that includes it
' has CodePage=65001: the signature is over UTF-8.
' 经典 ASP 示例. 所有页面必须使用 CodePage=65001 (UTF-8), 否则中文字段验签失败.
'
' Needs .NET Framework 3.5 on the server (HMAC), which Windows has as a feature.

Const DAOZHANG_API = "http://127.0.0.1:8800"
' Keep both in the machine's environment, not in a file below the web root.
Dim DaozhangKey, DaozhangSecret, Shell
Set Shell = Server.CreateObject("WScript.Shell")
DaozhangKey = Shell.Environment("SYSTEM")("DAOZHANG_KEY")
DaozhangSecret = Shell.Environment("SYSTEM")("DAOZHANG_SECRET")

' Calls the API; the answer's text. An error is raised unless it is a 2xx.
Function CallApi(method, path, body)
    Dim http
    Set http = Server.CreateObject("MSXML2.ServerXMLHTTP.6.0")
    http.setTimeouts 5000, 5000, 15000, 15000
    http.open method, DAOZHANG_API & path, False
    http.setRequestHeader "Authorization", "Bearer " & DaozhangKey
    http.setRequestHeader "Content-Type", "application/json; charset=utf-8"
    http.send body
    If http.status < 200 Or http.status > 299 Then
        Err.Raise vbObjectError + 1, "daozhang", method & " " & path & ": " & http.status & " " & http.responseText
    End If
    CallApi = http.responseText
End Function

' The text of one field of a JSON answer whose value is plain text, such as pay_url or status.
Function JsonText(json, name)
    Dim pattern, found
    Set pattern = New RegExp
    pattern.Pattern = """" & name & """\s*:\s*""([^""\\]*)"""
    Set found = pattern.Execute(json)
    If found.Count = 0 Then Err.Raise vbObjectError + 2, "daozhang", "no " & name & " in the answer"
    JsonText = found(0).SubMatches(0)
End Function

' Whether the form comes from daozhang: its sign, or the one by the old secret while that is changed.
Function IsGenuine(form, secret)
    Dim names(), name, count, i, j, held, text, own
    IsGenuine = False
    ReDim names(form.Count)
    count = 0
    For Each name In form
        If name <> "sign" And name <> "sign_type" And name <> "sign_previous" Then
            If form(name).Count <> 1 Then Exit Function
            names(count) = name
            count = count + 1
        End If
    Next
    If count = 0 Then Exit Function
    For i = 1 To count - 1
        held = names(i)
        j = i - 1
        Do While j >= 0
            If StrComp(names(j), held, vbBinaryCompare) <= 0 Then Exit Do
            names(j + 1) = names(j)
            j = j - 1
        Loop
        names(j + 1) = held
    Next
    text = ""
    For i = 0 To count - 1
        If i > 0 Then text = text & "&"
        text = text & names(i) & "=" & form(names(i))(1)
    Next
    own = HmacSha256(text, secret)
    ' The secret here may be the new one or still the old one.
    IsGenuine = SameText(own, form("sign")) Or SameText(own, form("sign_previous"))
End Function

' Lower-case hex of HMAC-SHA256, both in UTF-8.
Function HmacSha256(text, secret)
    Dim utf8, hmac, key, data, bytes, i, hex_
    Set utf8 = Server.CreateObject("System.Text.UTF8Encoding")
    Set hmac = Server.CreateObject("System.Security.Cryptography.HMACSHA256")
    key = utf8.GetBytes_4(secret)
    data = utf8.GetBytes_4(text)
    hmac.Key = key
    bytes = hmac.ComputeHash_2((data))
    hex_ = ""
    For i = 1 To LenB(bytes)
        hex_ = hex_ & Right("0" & Hex(AscB(MidB(bytes, i, 1))), 2)
    Next
    HmacSha256 = LCase(hex_)
End Function

' Compares without stopping at the first difference.
Function SameText(own, field)
    Dim given, i, differs
    given = CStr(field)
    SameText = False
    If Len(own) <> Len(given) Then Exit Function
    differs = 0
    For i = 1 To Len(own)
        differs = differs Or (AscW(Mid(own, i, 1)) Xor AscW(Mid(given, i, 1)))
    Next
    SameText = (differs = 0)
End Function
%>
