<?php
// A shop in plain PHP (7.4 or newer, no extension and no library): what buy.php, webhook.php and
// ship.php share. 纯 PHP 示例: 下单, 跳转付款, 接收通知, 验签.
//
// Set these in the web server's environment, never in a file below the web root:
//   DAOZHANG_API     http://127.0.0.1:8800
//   DAOZHANG_KEY     dz_...      the API key
//   DAOZHANG_SECRET  whsec_...   the secret of the webhook endpoint with "format": "form"
//   SHOP_JOURNAL     a file outside the web root, for what has been heard
declare(strict_types=1);

function setting(string $name): string
{
    $value = getenv($name);
    if ($value === false || $value === '') {
        throw new RuntimeException("$name is not set 未设置该环境变量");
    }
    return $value;
}

/** Calls the API; the answer as an array. Throws if it is not a 2xx, or if none came. */
function call_api(string $method, string $path, ?array $body = null): array
{
    $headers = ['Authorization: Bearer ' . setting('DAOZHANG_KEY'), 'Content-Type: application/json'];
    $context = stream_context_create(['http' => [
        'method' => $method,
        'header' => $headers,
        'content' => $body === null ? '' : json_encode($body, JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR),
        'timeout' => 15,
        'ignore_errors' => true,      // the body of a "no" says why
        'follow_location' => 0,
    ]]);
    $answer = @file_get_contents(setting('DAOZHANG_API') . $path, false, $context);
    if ($answer === false) {
        throw new RuntimeException('no answer from the payment service 支付服务没有应答');
    }
    $status = (int) explode(' ', $http_response_header[0])[1];
    $content = json_decode($answer, true, 64, JSON_THROW_ON_ERROR);
    if ($status < 200 || $status > 299) {
        throw new RuntimeException("$method $path: $status " . ($content['detail'] ?? $answer));
    }
    return $content;
}

/** Whether a form comes from daozhang: its sign, or the one by the old secret while that is changed. */
function is_genuine(array $form, string $secret): bool
{
    if (!is_string($form['sign'] ?? null)) {
        return false;
    }
    $signed = array_diff_key($form, ['sign' => 0, 'sign_type' => 0, 'sign_previous' => 0]);
    ksort($signed, SORT_STRING);
    $parts = [];
    foreach ($signed as $name => $value) {
        if (!is_string($value)) {
            return false;
        }
        $parts[] = "$name=$value";
    }
    $own = hash_hmac('sha256', implode('&', $parts), $secret);
    $previous = $form['sign_previous'] ?? '';
    // The secret here may be the new one or still the old one.
    return hash_equals($own, $form['sign']) || (is_string($previous) && hash_equals($own, $previous));
}

/**
 * Notes an event once, on the disk, before it is answered. In a real shop: a row in your database with
 * notify_id unique, in the transaction of what is to be done.
 */
function note_once(array $form): bool
{
    $file = fopen(setting('SHOP_JOURNAL'), 'c+b');
    if ($file === false || !flock($file, LOCK_EX)) {
        throw new RuntimeException('the journal cannot be opened 无法打开记录文件');
    }
    while (($line = fgets($file)) !== false) {
        $known = json_decode($line, true);
        if (is_array($known) && $known['notify_id'] === $form['notify_id']) {
            return false;
        }
    }
    $line = json_encode($form, JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR) . "\n";
    if (fwrite($file, $line) !== strlen($line) || !fflush($file)) {
        throw new RuntimeException('the journal cannot be written 无法写入记录文件');
    }
    if (function_exists('fsync')) {
        fsync($file);                 // PHP 8.1 or newer
    }
    return true;                      // the lock ends with the request
}
