<?php
// POST number=...: creates the order and sends the buyer to pay. 创建订单并跳转到付款页.
declare(strict_types=1);
require __DIR__ . '/daozhang.php';

$number = $_POST['number'] ?? '';
if (!is_string($number) || !preg_match('/^[A-Za-z0-9_-]{1,64}$/', $number)) {
    http_response_code(400);
    exit('number is missing 缺少订单号');
}
try {
    // The amount is from your own database, never from the browser; as text, with two places.
    // The same number again gives the same order: a double click buys once.
    $order = call_api('POST', '/v1/orders', [
        'out_trade_no' => $number,
        'amount' => '88.88',
        'subject' => '龙井茶 Longjing tea',
    ]);
} catch (Throwable $error) {
    error_log((string) $error);
    http_response_code(503);
    exit('Please try again in a moment 请稍后再试');
}
header('Location: ' . $order['pay_url'], true, 303);
