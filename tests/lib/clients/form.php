<?php
// A form by PHP's curl: php form.php URL; the file f, under two names, and a field.
$c = curl_init($argv[1]);
curl_setopt_array($c, [
	CURLOPT_RETURNTRANSFER => true,
	CURLOPT_POSTFIELDS => [
		'note' => 'ü',
		'up' => new CURLFile('f', 'application/octet-stream', 'f'),
		'more' => new CURLFile('f', 'text/plain', 'a "b" ä.txt'),
	],
]);
$answer = json_decode(curl_exec($c), true);
echo curl_getinfo($c, CURLINFO_RESPONSE_CODE), ' ', implode(' ', array_column($answer['files'], 'name')), "\n";
