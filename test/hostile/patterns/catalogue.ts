/** Why a pattern needs no check: who writes the text that it reads. */
const authors = {
  declaration: "reads only the author's declarations",
  module: "reads only the author's module files and their errors",
  environment: 'reads only the environment of the service',
  commandLine: 'reads only arguments of the command line',
  testKit: "reads only what a test of the author's says",
  demoUpstream: "reads only paths of the demo upstreams' own routes",
  reader: 'is made at run time; a reader of linear-readers.test.ts has attacks on it',
} as const

/** A start, a run and an end of a text that a pattern nearly matches. */
type Attack = readonly [start: string, run: string, end: string]

/** Attacks on a pattern that reads text from outside; or a reason, for one that reads only the author's text. */
export type Entry = readonly Attack[] | (typeof authors)[keyof typeof authors]

const { declaration, module, environment, commandLine, testKit, demoUpstream, reader } = authors

/**
 * Every regular expression of the sources, by file and as it is written. A pattern that reads text of callers or
 * upstreams is listed with attacks made for it: long runs, almost-matches, and runs that end in a character that cannot
 * match. Generated ones are tried besides.
 */
export const catalogue: Readonly<Record<string, Readonly<Record<string, Entry>>>> = {
  'bulk/names.ts': {
    '/^[0-9a-f]{32}$/': [
      ['', '0', ''],
      ['', 'a', 'g'],
      ['0123456789abcdef', '0', ' '],
    ],
  },
  'bulk/object-store.ts': {
    '/^[a-z0-9][a-z0-9-]*(?:\\/[a-z0-9][a-z0-9-]*)*$/': [
      ['a', 'a', '!'],
      ['a', '-', '/'],
      ['a', '/a', '/'],
      ['', 'a-/a', '.'],
    ],
  },
  'commands/bulk.ts': {
    '/^\\d+$/': commandLine,
  },
  'http/bulk/byte-range.ts': {
    '/^bytes=(\\d{0,15})-(\\d{0,15})$/': [
      ['bytes=', '1', ''],
      ['bytes=', '1', '-'],
      ['bytes=1-', '1', 'x'],
    ],
  },
  'commands/load/options.ts': {
    '/^(\\d{1,9}(?:\\.\\d{1,3})?)(ms|s|m|h)$/': commandLine,
    '/^[A-Za-z]+$/': commandLine,
    '/^connect$/i': commandLine,
    '/%$/': commandLine,
    '/^https?:$/': commandLine,
    '/^\\d+(\\.\\d+)?$/': commandLine,
  },
  'commands/load/connection.ts': {
    '/^\\[|\\]$/g': commandLine,
  },
  'commands/run/terminal-capabilities.ts': {
    '/utf-?8/i': environment,
  },
  'commands/init/project-files.ts': {
    '/[^a-z0-9-]+/g': commandLine,
    '/^-+|-+$/g': commandLine,
  },
  'commands/main.ts': {
    '/^/gm': module,
  },
  'commands/run/read-options.ts': {
    '/^[1-9]\\d{0,8}$/': commandLine,
    '/^([^:\\s]+):\\s*(.*)$/': commandLine,
  },
  'commands/serve.ts': {
    '/^\\d+$/': commandLine,
  },
  'commands/run/print-failure.ts': {
    '/^\\/body/': commandLine,
  },
  'config/lists.ts': {
    '/^\\d{1,3}$/': environment,
  },
  'config/overrides.ts': {
    '/^HEADWATERS_UPSTREAM_([A-Z0-9_]+?)_(ORIGINS|ORIGIN|CONCURRENCY|ATTEMPT_TIMEOUT_MS|OFF|SLOTS|TIMEOUT_MS)$/':
      environment,
  },
  'core/bearer-key.ts': {
    '/^[\\w.~+/-]+=*$/': environment,
  },
  'definitions/declaring-module.ts': {
    '/^node:internal\\/modules\\//': module,
  },
  'definitions/find-files.ts': {
    '/\\.(?:ts|mts|js|mjs)$/': module,
    '/\\.d\\.m?ts$/': module,
    '/\\.test\\.\\w+$/': module,
  },
  'definitions/import-fault.ts': {
    '/ imported from .*$/s': module,
    '/^((?:file:\\/\\/|\\/|[A-Za-z]:\\\\)[^\\n]*?):(\\d+)\\n/': module,
    '/ imported from (.+)$/m': module,
    '/^ {4}at .*?\\(?((?:file:\\/\\/|\\/|[A-Za-z]:\\\\)[^\\n()]*?):(\\d+:\\d+)\\)?$/gm': module,
  },
  'definitions/missing-files.ts': {
    '/^\\.(?:[cm]?[jt]s|json)$/': module,
  },
  'definitions/module-url.ts': {
    '/[?&]headwaters=(\\d+)$/': module,
    '/\\?headwaters=\\d+/g': module,
  },
  'definitions/find-module.ts': {
    '/^(?:\\.{0,2}\\/|file:)/': module,
    '/^zod(?:\\/|$)/': module,
    '/^\\.\\.?\\//': module,
    '/(?:\\.js)?$/': module,
    '/\\.[cm]?ts$/': module,
  },
  'fanout/refuse.ts': {
    '/^[A-Z][A-Z0-9_]{1,63}$/': [['', 'A', ' ']],
  },
  'fanout/reply-headers.ts': {
    "/^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+$/": [['', 'a', ' ']],
  },
  'fanout/check.ts': {
    '/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/': declaration,
    '/^[A-Za-z][A-Za-z0-9_]*$/': declaration,
    '/\\/:([A-Za-z_]\\w*)/': declaration,
    '/\\{\\w+\\}\\{\\w+\\}/': declaration,
    '/^[\\x20-\\x7e]+$/': declaration,
  },
  'fanout/offload/offload.ts': {
    '/\\.(m?)ts$/': module,
    '/\\.(m?)js$/': module,
  },
  'fanout/shared-caches.ts': {
    '/"[^"]*"/g': [
      ['', '"a', ''],
      ['"', 'a', ''],
    ],
  },
  'log/redaction.ts': {
    '/[=@J\\\\]|\\[cut\\]|[Bb](?:earer|asic)|BEARER|BASIC/': [
      ['', 'bearebasi', ''],
      ['', 'BASI', 'c'],
      ['', '[cut', ''],
    ],
    '/=/': [['', 'a', '']],
    "new RegExp(`(?<=[?&](?:[\\\\w.-]{1,30}(?:\\\\[|%5B))?(?:${names})(?:\\\\]|%5D)?=)[^&\\\\s\"\\\\\\\\#]+`, 'gi')":
      reader,
    '/@|\\[cut\\]/': [
      ['', '[cut', ''],
      ['', '[', 'cut'],
    ],
    '/(?<=\\/\\/)[^/\\s"\\\\@]+?(?=@|\\[cut\\])/g': [
      ['//', 'a', ''],
      ['', '//', ''],
      ['', '//a', ''],
      ['//', 'a:', '/'],
      ['//', '[cut', ''],
      ['', '//a@', ''],
      ['//', 'a', '\\'],
    ],
    '/bearer|basic/i': [
      ['', 'bearebasi', ''],
      ['', 'BASI', ''],
    ],
    '/(?<=\\b(?:bearer|basic)(?: |%20|\\+|:|=))[\\w.~+/%-]{8,}=*/gi': [
      ['Bearer ', 'a', ' '],
      ['', 'Bearer ', ''],
      ['', 'bearer+', ''],
      ['', 'basic%20', ':'],
      ['', 'bearer:a', ''],
      ['Basic aaaaaaaa', '=', 'x'],
      ['', 'Basic=', ''],
    ],
    '/J/': [['', 'eyj', '']],
    '/(?<![\\w-])eyJ[\\w-]{5,}\\.[\\w-]+(?:\\.[\\w-]*)*/g': [
      ['eyJ', 'a', ''],
      ['', 'eyJ', ''],
      ['', 'eyJaaaaa ', ''],
      ['', '.eyJaaaaa', ''],
      ['eyJaaaaa', '.', 'x'],
      ['', 'eyJaaaaa..', ''],
      ['eyJaaaaa.', 'a', ' '],
      ['eyJaaaaa.a', '.', ' '],
      ['', '-eyJ', ''],
    ],
    '/\\\\/': [['', '/', '']],
    'new RegExp(`(?<=\\\\\\\\"(?:${names})\\\\\\\\{1,7}"\\\\s?:\\\\s?\\\\\\\\{1,7}")[^"\\\\\\\\]+`, \'gi\')': reader,
  },
  'log/spellings.ts': {
    "/[!'()*]/g": [
      ['', '*', ''],
      ['', 'a', '!'],
    ],
    '/[<>&]/g': [
      ['', '<', ''],
      ['', 'a', '&'],
    ],
    '/%[\\dA-F]{2}/g': [
      ['', '%', ''],
      ['', '%A', ''],
      ['', '%AF', 'x'],
    ],
    '/[^\\x20-\\x7e]/g': [
      ['', '\u00e9', ''],
      ['', 'a', '\n'],
    ],
  },
  'http/request/input-checks.ts': {
    '/^-?\\d{1,9}$/': [
      ['', '1', 'x'],
      ['-', '1', ''],
      ['', '-', ''],
    ],
  },
  'http/bodies/json-bodies.ts': {
    '/^application\\/(?:[\\w.+-]+\\+)?json(?:$|[ \\t]*;)/i': [
      ['application/', 'a', '+'],
      ['application/', 'a+', 'json'],
      ['application/json', ' ', 'x'],
      ['application/', 'a.+', ''],
    ],
  },
  'http/request/client-address.ts': {
    '/^(?:(\\d+\\.\\d+\\.\\d+\\.\\d+):[\\w.-]*|\\[([^\\]]*)\\](?::[\\w.-]*)?)$/': [
      ['', '1', '.'],
      ['', '1.', ''],
      ['1.1.1.1:', 'a', '\u20ac'],
      ['[', 'a', ''],
      ['[', ']', ''],
      ['[]:', 'a', ' '],
    ],
    '/^::ffff:([0-9a-f]+):([0-9a-f]+)$/': [
      ['::ffff:', '0', ''],
      ['::ffff:0:', '0', 'x'],
    ],
    '/^\\d{1,3}$/': environment,
  },
  'http/guard/connection-limit.ts': {
    '/^(?:GET|HEAD) \\/(?:health\\/|metrics[ ?])/': [
      ['GET ', '/', ''],
      ['', 'HEAD ', ''],
      ['GET /metrics', 's', ' '],
    ],
  },
  'http/guard/file-descriptors.ts': {
    '/^Max open files\\s+(\\d+)/m': environment,
  },
  'http/explorer/explorer.ts': {
    '/^\\s*(?:x-)?gzip\\s*(?:$|;(?!\\s*q=0(?:\\.0*)?\\s*$))/': [
      ['', ' ', ''],
      ['gzip', ' ', 'x'],
      ['gzip;', ' ', 'x'],
      ['gzip;q=0.', '0', '1'],
      ['', 'x-', ''],
    ],
  },
  'http/routing/path-template.ts': {
    '/\\{([^{}]*)\\}/g': declaration,
    '/\\{[^{}]*\\}/': declaration,
    '/[A-Za-z0-9_,;=@~!&]/': declaration,
    '/[/%]/g': declaration,
  },
  'http/routing/match-path.ts': {
    '/[?#]/': [
      ['/', 'a', ''],
      ['/', '%3F', 'a'],
    ],
    '/[?#;]/': [
      ['/', 'a', ''],
      ['/', '%3B', 'a'],
    ],
    '/^[^/]*\\/\\/[^/]*/': [
      ['', 'a', ''],
      ['http:/', 'a', '/'],
      ['', 'a/', 'a'],
    ],
    '/\\/{2,}/g': [
      ['', '/', 'a'],
      ['', '/a', '/'],
      ['a', '/', ''],
    ],
  },
  'http/routing/percent-encoding.ts': {
    '/(?:%[0-9a-f]{2})+/gi': [
      ['', '%', 'a'],
      ['', '%2', '%'],
      ['', '%2C', '%2'],
      ['%', '%2c', 'g'],
    ],
    '/[;/?:@&=+$,#]/g': [
      ['', ',', 'a'],
      ['', 'a', ','],
    ],
    '/\\p{Surrogate}/gu': [
      ['', '\ud82c', 'a'],
      ['', '\u{1f431}', '\ud82c'],
    ],
  },
  'http/plugin.ts': {
    '/\\/$/': declaration,
  },
  'http/guard/api-keys.ts': {
    '/^bearer +([^\\s]+) *$/i': [
      ['bearer', ' ', ''],
      ['bearer ', 'a', ' x'],
      ['bearer a', ' ', 'x'],
      ['bearer ', 'a ', ''],
    ],
  },
  'http/reply/not-modified.ts': {
    '/^W\\//': [['', 'W/', '']],
  },
  'http/openapi/components.ts': {
    '/^[\\w.-]+$/': declaration,
  },
  'http/openapi/document.ts': {
    '/\\/$/': declaration,
  },
  'http/openapi/operation-id.ts': {
    '/-([a-z0-9])/g': declaration,
  },
  'http/routing/allowed-methods.ts': {
    '/(?<!\\/)\\/+$/': declaration,
    '/\\/{2,}/g': declaration,
  },
  'http/request/request-id.ts': {
    '/^[\\w.:-]{1,128}$/': [
      ['', 'a', '\u20ac'],
      ['', 'a:', ''],
    ],
  },
  'http/openapi/swagger.ts': {
    '/(?<!\\W)\\W+(\\w)/g': declaration,
    '/[()%]/': declaration,
  },
  'memory/control-group.ts': {
    '/^inactive_file (\\d+)$/m': environment,
    '/^total_inactive_file (\\d+)$/m': environment,
    '/^\\d+:([^:]*):(\\/.*)$/': environment,
  },
  'memory/old-space-limit.ts': {
    '/^--(?:optimize[-_]for[-_]size|lite[-_]mode)$/': environment,
  },
  'memory/old-space-use.ts': {
    '/^(?:shared_)?(?:old|code|trusted|large_object|code_large_object|trusted_large_object)_space$|^shared_space$/':
      environment,
  },
  'schemas/cat-picture.ts': {
    '/^https?$/': [['http', 's', '']],
  },
  'schemas/encyclopedia.ts': {
    '/^https?$/': [['http', 's', '']],
  },
  'schemas/postcard.ts': {
    '/^[a-z]{4}$/': [['', 'a', '']],
  },
  'demo-upstreams/router.ts': {
    "new RegExp(`^${path.replaceAll(/:(\\w+)/g, '(?<$1>[^/]+)')}/?$`)": demoUpstream,
    '/:(\\w+)/g': demoUpstream,
  },
  'demo-upstreams/the-cat-api.ts': {
    '/^(1|true)$/': [['', 'true', '']],
  },
  'demo-upstreams/whole-number.ts': {
    '/^\\d{1,9}$/': [['', '1', 'x']],
  },
  'testing/matcher.ts': {
    '/^(?:([A-Z]+) )?(\\*|\\/[^?\\s]*)(?:\\?(\\S*))?$/': testKit,
    '/^/': testKit,
    'new RegExp(`^${text}$`)': testKit,
    '/[.*+?^$()|[\\]\\\\]/g': testKit,
    '/\\{[^{}]*\\}/g': testKit,
  },
  'testing/script.ts': {
    '/\\bjson\\b/i': testKit,
  },
  'trace/trace-context.ts': {
    '/^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[^,]*)?$/': [
      ['cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-', 'x', ','],
      ['cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-', '-', ','],
      ['00-', '0', ''],
      ['', 'a', ''],
    ],
  },
  'trace/tracestate.ts': {
    '/^(?:[a-z][a-z0-9_\\-*/]{0,255}|[a-z0-9][a-z0-9_\\-*/]{0,240}@[a-z][a-z0-9_\\-*/]{0,13})=[\\x20-\\x2b\\x2d-\\x3c\\x3e-\\x7e]{0,255}[\\x21-\\x2b\\x2d-\\x3c\\x3e-\\x7e]$/':
      [
        ['', 'a', ''],
        ['', 'a', '@'],
        ['a@', 'a', '='],
        ['a=', ' ', ''],
        ['a=', 'a', '='],
      ],
  },
  'upstream/spec/access-spec.ts': {
    '/^[A-Za-z0-9_.~-]+$/': declaration,
    '/^(?:accept|idempotency-key)$/i': declaration,
  },
  'upstream/auth/access.ts': {
    '/^[\\x20-\\x7e]+$/': environment,
  },
  'upstream/call/create-call.ts': {
    '/[^ ]/': [['', ' ', '']],
    '/^[\\x20-\\x7e]*$/': [
      ['', 'a', '\u00e9'],
      ['', ' ', '\u00e9'],
      ['', 'a ', '\0'],
    ],
  },
  'upstream/policies/cache/directives.ts': {
    '/([!#$%&\'*+\\-.^_`|~0-9A-Za-z]+)(?:=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,"]*)))?([^,]*)/g': [
      ['', 'a', ''],
      ['a="', 'x', ''],
      ['a="', '\\\\', ''],
      ['a="', '\\"', ''],
      ['', 'a="\\",', ''],
      ['', 'a="', ''],
      ['', 'a=,', ''],
      ['a=', 'x', ' '],
      ['', 'a ', ''],
      ['', '=', ''],
    ],
    '/\\\\(.)/g': [['', '\\', '']],
    '/^\\d+$/': [['', '1', 'x']],
  },
  'upstream/policies/cache/freshness.ts': {
    '/^\\d+$/': [['', '1', ' ']],
  },
  'upstream/policies/cache/memory-size.ts': {
    '/[^\\0-\\xff]/': [
      ['', 'a', '\u0100'],
      ['', '\u00ff', ''],
    ],
  },
  'core/redacted-query.ts': {
    '/[a-z](?=[A-Z])/g': [
      ['', 'a', ''],
      ['', 'aA', 'a'],
    ],
    '/[^a-z]+/': [
      ['', '[', 'a'],
      ['a', '[]', ''],
    ],
  },
  'core/names-caller.ts': {
    '/(?:^|[-_])(?:authorization|auth|cookie|token|jwt|dpop|api-?key|key|secret|password|credentials?|session|sid|assertion|signature|cert|identity|email|tenant|user|account|customer|client|subscription|org|forwarded|forwarded-for|ip)(?:[-_]?id)?$/':
      [
        ['', 'x-api-key', 'z'],
        ['', '-session', 'x'],
        ['', '_client-id', '-'],
        ['', 'authorization', ''],
        ['', '-forwarded-for', ''],
        ['', '-', 'ip'],
      ],
  },
  'upstream/connect/connect-response.ts': {
    '/^[\\r\\n]*/': [['', '\r\n', 'x']],
    '/\\r?\\n\\r?\\n/': [
      ['', '\r', ''],
      ['', '\n\r', ''],
      ['', 'a\r\n', ''],
    ],
    '/^HTTP\\/1\\.[01][\\t ]+(\\d{3})(?=\\s)/': [
      ['HTTP/1.1', ' ', '2'],
      ['HTTP/1.1', '\t', '20x'],
    ],
  },
  'upstream/connect/dial.ts': {
    '/^\\[(.*)\\]$/': declaration,
  },
  'log/printable.ts': {
    '/[\\p{Cc}\\p{Zl}\\p{Zp}\\u061c\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ufeff]/gu': [
      ['', '\u0007', 'a'],
    ],
  },
  'log/readable-line.ts': {
    '/^[^\\s"=[\\]{}]+$/': [['', 'a', ' ']],
  },
  'upstream/transport/received-type.ts': {
    '/[^\\x20-\\x7e]/g': [['', '\u00e9', 'a']],
  },
  'upstream/transport/response-headers.ts': {
    '/^chunked$/i': [['', 'chunked', '']],
  },
  'core/header-value.ts': {
    '/^[\\t\\x20-\\x7e\\x80-\\xff]*$/': [
      ['', 'a', '\n'],
      ['', '\t', '\n'],
      ['', '\u00ff', '\u0100'],
    ],
  },
  'core/headers.ts': {
    "/^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+$/": [
      ['', 'a', ' '],
      ['', '-', '\u20ac'],
    ],
  },
  'core/json/leaves.ts': {
    '/^\\s*[+-]?\\d{16,}\\s*$/': [
      ['', ' ', 'x'],
      ['', '1', 'x'],
      ['1', ' ', 'x'],
      ['-', '1', ' x'],
    ],
  },
  'core/json/parse.ts': {
    '/[:,[\\s]-?\\d{16,}(?![\\d.eE])/g': [
      ['', '1', ''],
      ['[', '1', '.'],
      ['', '[1111111111111111.', ''],
      ['', '[-', ''],
      ['', ',', ''],
    ],
  },
  'core/json/write.ts': {
    '/\\d{17}/': [['', '1234567890123456x', '']],
  },
  'upstream/connect/no-proxy.ts': {
    '/[\\s,]+/': environment,
    '/^(\\[.*\\](?:\\/\\d+)?|[^:]*)(?::(\\d+))?$/': environment,
    '/^\\[?([^\\][/%]+)\\]?\\/(\\d{1,3})\\]?$/': environment,
    '/[/?#@\\\\]/': environment,
    '/^\\*?\\./': environment,
    '/^\\[(.*)\\]$/': environment,
    '/\\.$/': environment,
  },
  'upstream/spec/path-fault.ts': {
    '/^[ -$&-[\\]-~]*$/': [
      ['', 'a', '\u00e9'],
      ['', 'a', '%'],
    ],
    '/(?:^|\\/) *\\. *(?:\\. *)?(?:$|[/;?#])/': [
      ['', '/ ', ''],
      ['', ' ', 'x'],
      ['.', ' ', 'x'],
      ['. .', ' ', 'x'],
      ['', '/. .', ''],
      ['', '/.. .', ''],
      ['', '. ', 'x'],
    ],
    '/[;?#\\0]/': [['', 'a', '']],
    '/[\\s\\p{Cf}\\ufffd]/gu': [
      ['', ' ', 'x'],
      ['', '\u200b', '\ufffd'],
    ],
  },
  'upstream/transport/pipeline.ts': {
    '/\\bclose\\b/i': [
      ['', 'close', ''],
      ['', 'close-', 'x'],
      ['', 'aclose ', ''],
    ],
  },
  'core/public-address.ts': {
    '/^\\[(.*)\\]$/': declaration,
  },
  'upstream/spec/query-name.ts': {
    '/[&;=?#\\0]/': [
      ['', '&', ''],
      ['', 'a', '\0'],
    ],
    '/^[\\s.[\\]]+/': [
      ['', ' ', ''],
      ['', '.[', ''],
      ['', ']', 'a'],
    ],
    '/[.[]/': [['', 'a', '']],
    '/[.[\\]]/': [['', 'a', '']],
    '/[\\p{Cf}\\ufffd]/gu': [['', '\u200b', '']],
    '/[\\s.[\\]+]/g': [
      ['', ' ', ''],
      ['', '.[', ''],
    ],
  },
  'core/windows-1252.ts': {
    '/[\\x80-\\x9f]/': [
      ['', 'a', ''],
      ['', '\u00ff', '\u0100'],
    ],
  },
  'core/url-text.ts': {
    '/%u([0-9a-f]{4})|(?:%[0-9a-f]{2})+/gi': [
      ['', '%', ''],
      ['', '%2', ''],
      ['', '%25', ''],
      ['', '%u00', ''],
      ['%u', '0', '%'],
      ['', '%c0%', ''],
    ],
    '/[\\x01-\\x1f\\x7f-\\x9f\\ufffd]/g': [['', '\u0001', 'a']],
    '/[^\\x00-\\x7f\\p{M}]+/gu': [
      ['', '\u00e9', '\u0301'],
      ['', '\u0301\u0316', 'a'],
      ['', '\u00e9\u0301', ''],
    ],
  },
  'upstream/connect/resolve.ts': {
    '/^E[A-Z0-9_]+$/': [
      ['E', 'A', 'a'],
      ['', 'E', ' '],
    ],
  },
  'upstream/call/retry-after.ts': {
    '/^\\d+$/': [['', '1', 'x']],
  },
  'upstream/spec/origin.ts': {
    '/(?<!\\/)\\/+$/': [
      ['', '/', 'x'],
      ['x', '/', 'x/'],
      ['', '/x', ''],
    ],
  },
  'upstream/spec/origins-spec.ts': {
    '/^_[a-z0-9-]{1,32}\\._[a-z0-9-]{1,32}\\.[a-z0-9_.-]{1,185}$/i': declaration,
  },
  'upstream/spec/secret.ts': {
    '/^[A-Za-z_][A-Za-z0-9_]*$/': declaration,
  },
  'upstream/spec/check-upstream.ts': {
    '/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/': declaration,
  },
  'upstream/spec/check-response.ts': {
    "/^[!#$%&'*+\\-.^_`|~0-9A-Za-z]+\\/[!#$%&'*+\\-.^_`|~0-9A-Za-z]+$/": declaration,
  },
  'upstream/spec/template.ts': {
    '/\\{([^{}]*)\\}/g': declaration,
    '/^[A-Za-z_][A-Za-z0-9_]*$/': declaration,
    "/^[A-Za-z0-9\\-._~!$&'()*+,;=:@%/]*$/": declaration,
    '/[^!-~]+/g': declaration,
    '/\\{[^{}]*\\}/': declaration,
  },
  'upstream/spec/segment.ts': {
    '/^[A-Za-z0-9_-][A-Za-z0-9\\-._~]*$/': [
      ['', 'a', '/'],
      ['a', '.', '\u00e9'],
    ],
    "/^[A-Za-z0-9_\\-\\p{L}\\p{Nd}][A-Za-z0-9\\-._~!$&'()*+,=:@ \\p{L}\\p{M}\\p{Nd}]*$/u": [
      ['', 'a', '/'],
      ['', 'a ', '%'],
      ['a', '.', '\u{1f431}'],
      ['', '\u00e9', '/'],
      ['a', '\u0301', ';'],
    ],
    "/[!'()*]/g": [
      ['', '(', 'a'],
      ['', 'a', '*'],
    ],
  },
  'upstream/call/query.ts': {
    "/^[A-Za-z0-9\\-_.!~*'()]*$/": [
      ['', 'a', '&'],
      ['', '.', '\u00e9'],
    ],
  },
  'core/schema/text-values.ts': {
    '/^-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?$/i': [
      ['', '1', 'x'],
      ['-', '1', '.'],
      ['1.', '1', 'e'],
      ['1e', '1', 'x'],
      ['', '1e', ''],
    ],
    '/^-?\\d+$/': [['-', '1', 'x']],
    '/^\\d{4}(?:-\\d\\d(?:-\\d\\d(?:T.+)?)?)?$/': [
      ['2024-01-01T', '1', '\n'],
      ['', '2024-', ''],
    ],
    '/^\\d{4}-\\d\\d-\\d\\d/': [['', '2024-01-0', '']],
  },
  'upstream/auth/token-endpoint.ts': {
    '/^[-+]?\\d+(?:\\.\\d+)?$/': [
      ['+', '1', 'x'],
      ['1.', '1', 'x'],
      ['', '1.', ''],
    ],
    '/^[\\x21-\\x7e]+$/': [['', 'a', ' ']],
    '/^bearer$/i': [['', 'bearer', '']],
    '/^[a-z_]{1,40}$/': [['', 'a', '']],
  },
  'upstream/connect/wire-errors.ts': {
    '/\\bSSL alert number (\\d+)/': [
      ['', 'SSL alert number ', ''],
      ['SSL alert number ', '1', 'x'],
      ['', 'SSL ', ''],
    ],
    '/^(?:ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|ERROR_IN_)/':
      [
        ['', 'ERR_', ''],
        ['', 'CERT', ''],
      ],
  },
  'server/cluster/env-files.ts': {
    '/=(.*)/s': commandLine,
  },
  'server/young-generation.ts': {
    '/semi[-_]space/': environment,
  },
}
