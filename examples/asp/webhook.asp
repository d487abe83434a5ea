<%@ Language="VBScript" CodePage=65001 %>
<% Option Explicit %>
<!--#include file="daozhang.asp"-->
<%
' Hears of payments: the endpoint was added with "format": "form". 接收支付结果通知.
Dim connection, insert, known
Response.CharSet = "utf-8"
If Not IsGenuine(Request.Form, DaozhangSecret) Then
    Response.Status = "400 Bad Request"
    Response.Write "fail: sign"
    Response.End
End If

' Note it once, on the disk, before answering: a table with notify_id as its primary key
' (CREATE TABLE heard (notify_id VARCHAR(64) PRIMARY KEY, event VARCHAR(64), out_trade_no VARCHAR(64))).
' An error that is not "there already" ends the page with 500, and the event comes again.
Set connection = Server.CreateObject("ADODB.Connection")
connection.Open Shell.Environment("SYSTEM")("SHOP_DATABASE")
Set insert = Server.CreateObject("ADODB.Command")
Set insert.ActiveConnection = connection
insert.CommandText = "INSERT INTO heard (notify_id, event, out_trade_no) " & _
    "SELECT ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM heard WHERE notify_id = ?)"
insert.Parameters.Append insert.CreateParameter("id", 200, 1, 64, CStr(Request.Form("notify_id")))
insert.Parameters.Append insert.CreateParameter("event", 200, 1, 64, CStr(Request.Form("event")))
insert.Parameters.Append insert.CreateParameter("order", 200, 1, 64, CStr(Request.Form("out_trade_no")))
insert.Parameters.Append insert.CreateParameter("again", 200, 1, 64, CStr(Request.Form("notify_id")))
insert.Execute
connection.Close

' A job of yours reads this table, asks GET /v1/orders/NUMBER, and ships if status is still "paid".
Response.Clear
Response.Write "success"
%>
