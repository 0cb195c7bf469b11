<?php
// Reads "id host port anchors" lines, prints "id ok" or "id no reason".
while (($line = fgets(STDIN)) !== false) {
    [$id, $host, $port, $anchors] = explode("\t", rtrim($line, "\n"));
    $context = stream_context_create(['ssl' => ['cafile' => $anchors, 'peer_name' => $host]]);
    error_clear_last();
    $stream = @stream_socket_client("tls://127.0.0.1:$port", $code, $text, 5, STREAM_CLIENT_CONNECT, $context);
    $why = preg_replace('/\s+/', ' ', (error_get_last()['message'] ?? '') . " $text");
    echo $id, $stream ? "\tok\n" : "\tno\t$why\n";
}
