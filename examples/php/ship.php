<?php
// php ship.php, from cron: ships what was heard to be paid, after asking once more. 发货前再查询一次.
declare(strict_types=1);
require __DIR__ . '/daozhang.php';

$noted = @file(setting('SHOP_JOURNAL'), FILE_IGNORE_NEW_LINES | FILE_SKIP_EMPTY_LINES) ?: [];
foreach ($noted as $line) {
    $event = json_decode($line, true, 64, JSON_THROW_ON_ERROR);
    if ($event['event'] !== 'order.paid') {
        continue;
    }
    $number = $event['out_trade_no'];
    // The event says what was true when it was written; it may have been refunded since.
    $order = call_api('GET', '/v1/orders/' . rawurlencode($number));
    $shipped = setting('SHOP_JOURNAL') . '.shipped.' . $number;
    if ($order['status'] === 'paid' && $order['refunded_amount'] === '0.00' && @fopen($shipped, 'xb')) {
        echo "ship $number {$order['amount']} {$order['currency']}\n";
    }
}
