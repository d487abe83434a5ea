<%@ Language="VBScript" CodePage=65001 %>
<% Option Explicit %>
<!--#include file="daozhang.asp"-->
<%
' POST number=...: creates the order and sends the buyer to pay. 创建订单并跳转到付款页.
Dim number, allowed, answer
Response.CharSet = "utf-8"
number = CStr(Request.Form("number"))
Set allowed = New RegExp
allowed.Pattern = "^[A-Za-z0-9_-]{1,64}$"
If Not allowed.Test(number) Then
    Response.Status = "400 Bad Request"
    Response.Write "number is missing 缺少订单号"
    Response.End
End If
' The amount is from your own database, never from the browser; as text, with two places.
' The same number again gives the same order: a double click buys once.
answer = CallApi("POST", "/v1/orders", _
    "{""out_trade_no"":""" & number & """,""amount"":""88.88"",""subject"":""龙井茶 Longjing tea""}")
Response.Redirect JsonText(answer, "pay_url")
%>
