<?php
// Hears of payments: the endpoint was added with "format": "form". 接收支付结果通知.
declare(strict_types=1);
require __DIR__ . '/daozhang.php';

try {
    if (!is_genuine($_POST, setting('DAOZHANG_SECRET'))) {
        http_response_code(400);
        exit('fail: sign');
    }
    note_once($_POST);
} catch (Throwable $error) {
    // Not "success": it will be sent again.
    error_log((string) $error);
    http_response_code(500);
    exit('fail');
}
echo 'success';                       // these seven bytes and nothing else
