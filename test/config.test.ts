import { test, type Test } from 'tap'
import { ConfigError, readConfig } from '../src/config.ts'
import { Environment } from '../src/config/environment.ts'
import { shownVariables } from '../src/config/shown-variables.ts'

const upstreams = ['catfact-ninja', 'meowfacts']

/** The lines of the refusal. */
function faultsOf(t: Test, environment: Record<string, string>): string[] {
  try {
    readConfig(environment, upstreams)
  } catch (error) {
    t.type(error, ConfigError)
    return (error as ConfigError).message.split('\n')
  }
  t.fail('the configuration was taken')
  return []
}

const inbound = {
  limits: {
    bodyBytes: 1024 * 1024,
    headerBytes: 16 * 1024,
    requestTimeout: 30_000,
    replyTimeout: 30_000,
    keepAlive: 72_000,
  },
  pressure: { runs: 1000, loopDelay: 100, heapPercent: 70, memoryPercent: 90, bodiesBytes: 64 * 1024 * 1024 },
  rateLimit: 0,
  trustProxy: false,
  keys: [],
  corsOrigins: [],
  streams: { maxBytes: 65_536, heartbeat: 15_000 },
  batch: { maxCalls: 100, bodyBytes: 1024 * 1024, deadline: 5000 },
}

test('an empty environment gives the defaults', async t => {
  t.same(readConfig({}, upstreams), {
    host: '127.0.0.1',
    port: 3000,
    env: 'production',
    admin: { dashboard: true, keptRuns: 2000 },
    logLevel: 'info',
    logFormat: 'auto',
    logCompletePercent: 100,
    drainMs: 10_000,
    heartbeatMs: 10_000,
    traceSampledPercent: 0,
    sources: 'full',
    inbound,
    threads: { queue: 256 },
    overrides: {},
  })
})

test('a set variable replaces its default', async t => {
  const config = readConfig(
    { HOST: '::1', PORT: '0', LOG_LEVEL: 'warn', LOG_FORMAT: 'text', LOG_COMPLETE_PERCENT: '0.5', DRAIN_MS: '250' },
    upstreams,
  )
  t.same(config, {
    host: '::1',
    port: 0,
    env: 'production',
    admin: { dashboard: true, keptRuns: 2000 },
    logLevel: 'warn',
    logFormat: 'text',
    logCompletePercent: 0.5,
    drainMs: 250,
    heartbeatMs: 10_000,
    traceSampledPercent: 0,
    sources: 'full',
    inbound,
    threads: { queue: 256 },
    overrides: {},
  })
})

test('the share of new traces that are sampled is a number from 0 to 100', async t => {
  t.same(
    ['0', '0.1', '12.5', '100'].map(
      value => readConfig({ TRACE_SAMPLED_PERCENT: value }, upstreams).traceSampledPercent,
    ),
    [0, 0.1, 12.5, 100],
  )
  for (const wrong of ['-1', '100.1', 'all', '10%', 'NaN', 'Infinity'])
    t.same(faultsOf(t, { TRACE_SAMPLED_PERCENT: wrong }), ['TRACE_SAMPLED_PERCENT: must be a number from 0 to 100'])
})

test('the part of the sources that callers see is full, states or none', async t => {
  t.same(
    ['full', 'states', ' none '].map(value => readConfig({ SOURCES: value }, upstreams).sources),
    ['full', 'states', 'none'],
  )
  t.same(faultsOf(t, { SOURCES: 'some' }), ['SOURCES: must be full, states or none'])
})

test('the limits of streams and batches are numbers, and no calls turn batches off', async t => {
  const { inbound: set } = readConfig(
    {
      STREAM_MAX_BYTES: '4096',
      STREAM_HEARTBEAT_MS: '1000',
      BATCH_MAX_CALLS: '1000',
      BATCH_BODY_BYTES: '1',
      BATCH_DEADLINE_MS: '600000',
    },
    upstreams,
  )
  t.same(set.streams, { maxBytes: 4096, heartbeat: 1000 })
  t.same(set.batch, { maxCalls: 1000, bodyBytes: 1, deadline: 600_000 })
  t.equal(readConfig({ BATCH_MAX_CALLS: '0' }, upstreams).inbound.batch, false)
  for (const [variable, value] of [
    ['STREAM_MAX_BYTES', '4095'],
    ['STREAM_HEARTBEAT_MS', '0'],
    ['BATCH_MAX_CALLS', '1001'],
    ['BATCH_BODY_BYTES', '0'],
    ['BATCH_DEADLINE_MS', '600001'],
  ] as const)
    t.match(faultsOf(t, { [variable]: value }), [new RegExp(`^${variable}: must be an integer from `)])
})

test('threads are as many as there are cores to spare, or as many as is said', async t => {
  t.same(readConfig({ OFFLOAD_THREADS: 'auto' }, upstreams).threads, { queue: 256 })
  t.same(readConfig({ OFFLOAD_THREADS: '3', OFFLOAD_QUEUE: '0' }, upstreams).threads, { count: 3, queue: 0 })
  t.match(faultsOf(t, { OFFLOAD_THREADS: '0' }), [/^OFFLOAD_THREADS: /])
  for (const wrong of ['1.5', 'all'])
    t.same(faultsOf(t, { OFFLOAD_THREADS: wrong }), ['OFFLOAD_THREADS: must be an integer from 1 to 1024, or auto'])
})

test('a limit on the heartbeats of workers is 0, or a second or more', async t => {
  t.same(
    ['0', '1000', '600000'].map(value => readConfig({ WORKER_HEARTBEAT_MS: value }, upstreams).heartbeatMs),
    [0, 1000, 600_000],
  )
  for (const value of ['1', '999'])
    t.same(faultsOf(t, { WORKER_HEARTBEAT_MS: value }), [
      'WORKER_HEARTBEAT_MS: must be 0 (no heartbeat) or an integer from 1000 to 600000',
    ])
  for (const value of ['-1', '600001', 'never'])
    t.match(faultsOf(t, { WORKER_HEARTBEAT_MS: value }), [/^WORKER_HEARTBEAT_MS: /])
})

test('variables that are not ours are passed by', async t => {
  t.same(readConfig({ PATH: '/bin', PORTS: 'x', HEADWATERS_OTHER: 'x' }, upstreams), readConfig({}, upstreams))
})

test('a variable that is set to nothing counts as not set', async t => {
  const blank = {
    HOST: '',
    PORT: '',
    LOG_LEVEL: '',
    DRAIN_MS: '',
    HEADWATERS_UPSTREAM_MEOWFACTS_CONCURRENCY: '',
    HEADWATERS_UPSTREAM_NOBODY_CONCURRENCY: '',
  }
  t.same(readConfig(blank, upstreams), readConfig({}, upstreams))
  t.same(
    readConfig({ PORT: undefined, HEADWATERS_UPSTREAM_MEOWFACTS_OFF: undefined }, upstreams),
    readConfig({}, upstreams),
  )
})

test('a number made of blanks is not 0', async t => {
  for (const variable of ['PORT', 'DRAIN_MS']) {
    for (const blank of [' ', '\t', ' \n']) {
      try {
        t.same(
          readConfig({ [variable]: blank }, upstreams),
          readConfig({}, upstreams),
          `${variable}=${JSON.stringify(blank)} counts as not set`,
        )
      } catch (error) {
        t.type(error, ConfigError, 'or it is refused')
      }
    }
  }
})

test('an upstream takes an origin, a concurrency, a timeout and a switch', async t => {
  const { overrides } = readConfig(
    {
      HEADWATERS_UPSTREAM_CATFACT_NINJA_ORIGIN: 'http://127.0.0.1:8080/cats',
      HEADWATERS_UPSTREAM_CATFACT_NINJA_CONCURRENCY: '8',
      HEADWATERS_UPSTREAM_CATFACT_NINJA_ATTEMPT_TIMEOUT_MS: '350',
      HEADWATERS_UPSTREAM_CATFACT_NINJA_OFF: '0',
      HEADWATERS_UPSTREAM_MEOWFACTS_OFF: '1',
      HEADWATERS_UPSTREAM_MEOWFACTS_CONCURRENCY: 'adaptive',
    },
    upstreams,
  )
  t.same(overrides, {
    'catfact-ninja': { origin: 'http://127.0.0.1:8080/cats', concurrency: 8, attemptTimeout: 350, off: false },
    meowfacts: { off: true, concurrency: 'adaptive' },
  })
})

test('_ORIGINS is a list of origins with weights and DNS records', async t => {
  const { overrides } = readConfig(
    {
      HEADWATERS_UPSTREAM_CATFACT_NINJA_ORIGINS:
        ' http://a:8080/v1;weight=3 , http://b:8080/v1; addresses,http://c/v1;srv=_http._tcp.c.example; weight = 2, ',
      HEADWATERS_UPSTREAM_MEOWFACTS_ORIGINS: 'http://127.0.0.1:8080',
      HEADWATERS_UPSTREAM_MEOWFACTS_CONCURRENCY: '8',
    },
    upstreams,
  )
  t.same(overrides, {
    'catfact-ninja': {
      origins: [
        { origin: 'http://a:8080/v1', weight: 3 },
        { origin: 'http://b:8080/v1', addresses: true },
        { origin: 'http://c/v1', srv: '_http._tcp.c.example', weight: 2 },
      ],
    },
    meowfacts: { origins: [{ origin: 'http://127.0.0.1:8080' }], concurrency: 8 },
  })
})

test('a fault in _ORIGINS is refused with its entry and the fix', async t => {
  const variable = 'HEADWATERS_UPSTREAM_MEOWFACTS_ORIGINS'
  const refused = {
    ',': 'origins must be a list of 1 to 64 origins',
    'http://a,nonsense': "origins[1]: 'nonsense' is not an origin: write scheme, host and port",
    'http://a,https://b': "origins[1] has the scheme 'https:' and origins[0] has 'http:': use one scheme",
    'http://a;weight=0': 'origins[0]: weight must be a whole number from 1 to 1000, got 0',
    'http://a;weight=': "origins[0]: weight must be a whole number, got ''",
    'http://a;weight=x': "origins[0]: weight must be a whole number, got 'x'",
    'http://a;weight': "origins[0]: the attribute 'weight' is not known: use weight=N, addresses and srv=NAME",
    'http://a;addresses=no': "origins[0]: the attribute 'addresses=no' is not known: use ",
    'http://a;wait=3': "origins[0]: the attribute 'wait=3' is not known: use ",
    'http://a;weight=2;weight=3': 'origins[0]: weight is set twice: remove one of them',
    'http://me:s3cr;et@a': "origins must not contain '@': send credentials as a header",
  }
  for (const [list, message] of Object.entries(refused)) {
    const [fault = '', ...others] = faultsOf(t, { [variable]: list })
    t.same(others, [], list)
    t.equal(fault.slice(0, variable.length + 2 + message.length), `${variable}: ${message}`)
  }
})

test('_ORIGIN and _ORIGINS of one upstream exclude each other', async t => {
  const both = [
    ['HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN', 'http://a'],
    ['HEADWATERS_UPSTREAM_MEOWFACTS_ORIGINS', 'http://a,http://b'],
  ] as const
  t.same(faultsOf(t, Object.fromEntries(both)), [
    'HEADWATERS_UPSTREAM_MEOWFACTS_ORIGINS: excludes HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN: set one of them',
  ])
  t.same(faultsOf(t, Object.fromEntries(both.toReversed())), [
    'HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN: excludes HEADWATERS_UPSTREAM_MEOWFACTS_ORIGINS: set one of them',
  ])
})

test('the configuration is frozen', async t => {
  const config = readConfig({ HEADWATERS_UPSTREAM_MEOWFACTS_CONCURRENCY: '8' }, upstreams)
  t.throws(() => {
    ;(config as { port: number }).port = 1
  }, TypeError)
  t.throws(() => {
    ;(config.overrides as Record<string, object>)['meowfacts'] = {}
  }, TypeError)
})

test('each variable that cannot be read is refused by its name and with the reason', async t => {
  const refused = [
    ['PORT', 'x'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '80.5'],
    ['PORT', 'Infinity'],
    ['DRAIN_MS', '600001'],
    ['DRAIN_MS', '10s'],
    ['LOG_LEVEL', 'loud'],
    ['LOG_FORMAT', 'pretty'],
    ['HEADWATERS_UPSTREAM_MEOWFACTS_CONCURRENCY', '0'],
    ['HEADWATERS_UPSTREAM_MEOWFACTS_CONCURRENCY', 'many'],
    ['HEADWATERS_UPSTREAM_MEOWFACTS_ATTEMPT_TIMEOUT_MS', '0'],
    ['HEADWATERS_UPSTREAM_MEOWFACTS_ATTEMPT_TIMEOUT_MS', '600001'],
    ['HEADWATERS_UPSTREAM_MEOWFACTS_OFF', 'yes'],
    ['HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN', 'nonsense'],
    ['HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN', 'ftp://127.0.0.1'],
    ['HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN', '127.0.0.1:80'],
    ['HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN', 'http://127.0.0.1/a/../b'],
  ] as const
  for (const [variable, value] of refused) {
    const [fault = '', ...others] = faultsOf(t, { [variable]: value })
    t.same(others, [], `${variable}=${value} is one fault`)
    t.match(fault, new RegExp(`^${variable}: .{5,}`))
  }
})

test('the message for an invalid value states the valid values', t => {
  const messages = {
    LOG_LEVEL: 'must be fatal, error, warn, info, debug, trace or silent',
    LOG_FORMAT: 'must be auto, json or text',
    DRAIN_MS: 'must be an integer from 0 to 600000',
    HEADWATERS_WORKERS: 'must be an integer from 1 to 1024, or auto',
    HEADWATERS_UPSTREAM_MEOWFACTS_CONCURRENCY: 'must be an integer from 1 to 65535, or adaptive',
    HEADWATERS_UPSTREAM_MEOWFACTS_OFF: 'must be 0 or 1',
  }
  for (const [variable, message] of Object.entries(messages))
    for (const value of ['-1', '1.5', 'many', '1e300'])
      t.same(faultsOf(t, { [variable]: value }), [`${variable}: ${message}`])
  t.end()
})

test('an origin that no call could be sent to is refused', async t => {
  for (const origin of ['http://127.0.0.1/?a=1', 'http://127.0.0.1/#a', 'http://me:secret@127.0.0.1/']) {
    const faults = faultsOf(t, { HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN: origin })
    t.match(faults, [/^HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN: /], origin)
    t.notMatch(faults.join('\n'), 'secret', 'and no secret is printed')
  }
})

test('a variable of an upstream that there is not says which there are', async t => {
  t.same(faultsOf(t, { HEADWATERS_UPSTREAM_DOGFACTS_ORIGIN: 'http://127.0.0.1' }), [
    'HEADWATERS_UPSTREAM_DOGFACTS_ORIGIN: matches no upstream: the upstreams are catfact-ninja, meowfacts',
  ])
})

test('a variable of an upstream that sets nothing says what can be set', async t => {
  for (const variable of [
    'HEADWATERS_UPSTREAM_MEOWFACTS',
    'HEADWATERS_UPSTREAM_MEOWFACTS_QUEUE',
    'HEADWATERS_UPSTREAM_ORIGIN',
    'HEADWATERS_UPSTREAM_meowfacts_ORIGIN',
  ]) {
    t.same(faultsOf(t, { [variable]: '1' }), [
      `${variable}: is not a known variable: an upstream has _ORIGIN, _ORIGINS, _CONCURRENCY, _ATTEMPT_TIMEOUT_MS and _OFF`,
    ])
  }
})

test('a variable by its old name is refused with its new name', async t => {
  for (const [old, now] of [
    ['SLOTS', 'CONCURRENCY'],
    ['TIMEOUT_MS', 'ATTEMPT_TIMEOUT_MS'],
  ]) {
    t.same(faultsOf(t, { [`HEADWATERS_UPSTREAM_CATFACT_NINJA_${old}`]: '8' }), [
      `HEADWATERS_UPSTREAM_CATFACT_NINJA_${old}: was renamed to HEADWATERS_UPSTREAM_CATFACT_NINJA_${now}`,
    ])
  }
})

test('all faults are listed at once', async t => {
  const faults = faultsOf(t, {
    PORT: 'x',
    LOG_LEVEL: 'loud',
    HEADWATERS_UPSTREAM_MEOWFACTS_CONCURRENCY: '0',
    HEADWATERS_UPSTREAM_DOGFACTS_OFF: '1',
  })
  t.same(
    faults.map(fault => fault.split(':')[0]),
    ['PORT', 'LOG_LEVEL', 'HEADWATERS_UPSTREAM_MEOWFACTS_CONCURRENCY', 'HEADWATERS_UPSTREAM_DOGFACTS_OFF'],
  )
})

test('the limits that protect the service are read from the environment', async t => {
  const config = readConfig(
    {
      MAX_RUNS: '0',
      MAX_LOOP_DELAY_MS: '100',
      MAX_HEAP_PERCENT: '75',
      MAX_MEMORY_PERCENT: '85',
      MAX_BODIES_BYTES: '1000000',
      RATE_LIMIT: '600',
      API_KEYS: ' 0123456789abcdef, Aa-._~+/Aa-._~+/== ,',
      TRUST_PROXY: '10.0.0.0/8, ::1,192.0.2.7,2001:db8::/32',
      CORS_ORIGINS: 'https://app.example, http://localhost:5173',
      BODY_LIMIT_BYTES: '2048',
      HEADER_LIMIT_BYTES: '4096',
      REQUEST_TIMEOUT_MS: '5000',
      REPLY_TIMEOUT_MS: '6000',
      KEEP_ALIVE_MS: '7000',
    },
    upstreams,
  )
  t.same(config.inbound, {
    limits: { bodyBytes: 2048, headerBytes: 4096, requestTimeout: 5000, replyTimeout: 6000, keepAlive: 7000 },
    pressure: { runs: 0, loopDelay: 100, heapPercent: 75, memoryPercent: 85, bodiesBytes: 1_000_000 },
    rateLimit: 600,
    trustProxy: ['10.0.0.0/8', '::1', '192.0.2.7', '2001:db8::/32'],
    keys: ['0123456789abcdef', 'Aa-._~+/Aa-._~+/=='],
    corsOrigins: ['https://app.example', 'http://localhost:5173'],
    streams: inbound.streams,
    batch: inbound.batch,
  })
  for (const [value, trust] of [
    ['true', true],
    ['false', false],
    [' true ', true],
  ] as const)
    t.equal(readConfig({ TRUST_PROXY: value }, upstreams).inbound.trustProxy, trust)
  t.same(readConfig({ CORS_ORIGINS: '*' }, upstreams).inbound.corsOrigins, ['*'])
})

test('an invalid API key is named by its position and never shown', async t => {
  const faults = faultsOf(t, { API_KEYS: 'tooshort,0123456789abcdef,a key with blanks in it' })
  t.same(faults, [
    'API_KEYS: key 1 has fewer than 16 characters: use 16 or more',
    'API_KEYS: key 3 has a character that a bearer token cannot contain: use letters, digits and - . _ ~ + /',
  ])
})

test('a list of nothing is refused, where it would leave the service open', t => {
  for (const list of [',', ' , ,']) {
    t.match(faultsOf(t, { API_KEYS: list }), [/^API_KEYS: contains no key/], list)
    t.match(faultsOf(t, { CORS_ORIGINS: list }), [/^CORS_ORIGINS: contains no origin/], list)
  }
  for (const list of ['', '  ']) t.same(readConfig({ API_KEYS: list }, upstreams).inbound.keys, [])
  t.end()
})

test('invalid proxies and origins are refused', async t => {
  for (const proxies of [
    '2',
    'yes',
    'example.com',
    '10.0.0.0/33',
    '::1/129',
    '10.0.0.0/',
    '10.0.0.0/x',
    '10.0.0/8',
    'true,10.0.0.1',
  ])
    t.match(
      faultsOf(t, { TRUST_PROXY: proxies }),
      [/^TRUST_PROXY: must be true, false, or a list of addresses and networks such as 10.0.0.0\/8, got '.*'$/],
      proxies,
    )
  for (const origin of [
    'app.example',
    'https://app.example/',
    'https://app.example/path',
    'HTTPS://app.example',
    'https://app.example:443',
    'null',
    'https://*.example',
  ])
    t.match(faultsOf(t, { CORS_ORIGINS: origin }), [/^CORS_ORIGINS: '.*' is not an origin as browsers send it/], origin)
  t.match(faultsOf(t, { CORS_ORIGINS: '*,https://app.example' }), [
    /^CORS_ORIGINS: \* allows every origin: remove the other entries/,
  ])
})

test('a number is one that JSON would read, and white space around a value is not part of it', async t => {
  t.match(
    readConfig({ PORT: ' 8080\n', MAX_RUNS: '1e3', HEADWATERS_UPSTREAM_MEOWFACTS_CONCURRENCY: ' 5 ' }, upstreams),
    {
      port: 8080,
      overrides: { meowfacts: { concurrency: 5 } },
    },
  )
  t.match(
    faultsOf(t, {
      PORT: '0x10',
      OFFLOAD_THREADS: '0x2',
      HEADWATERS_UPSTREAM_MEOWFACTS_CONCURRENCY: '0x10',
      HEADWATERS_UPSTREAM_MEOWFACTS_ATTEMPT_TIMEOUT_MS: '0b1',
    }),
    [
      /^PORT: must be an integer from 0 to 65535$/,
      /^OFFLOAD_THREADS: must be an integer/,
      /_CONCURRENCY: must be an integer/,
      /_ATTEMPT_TIMEOUT_MS: must be an integer from 1 to 600000$/,
    ],
  )
})

const adminKey = 'admin-key-0123456789'

test('the admin listener has the address and the key that are set', async t => {
  const adminOf = (environment: Record<string, string>) => readConfig(environment, upstreams).admin
  t.same(adminOf({ ADMIN_PORT: '0' }), {
    listener: { host: '127.0.0.1', port: 0 },
    dashboard: true,
    keptRuns: 2000,
  })
  t.equal(adminOf({ ADMIN_KEY: ` ${adminKey} ` }).key, adminKey, 'a key without a listener protects the main port')
  const off = { DASHBOARD: 'off', KEPT_RUNS: '0' }
  t.same(adminOf({ ADMIN_PORT: '9464', ADMIN_HOST: '0.0.0.0', ADMIN_KEY: adminKey, ...off }), {
    listener: { host: '0.0.0.0', port: 9464 },
    key: adminKey,
    dashboard: false,
    keptRuns: 0,
  })
  t.ok(Object.isFrozen(adminOf({ ADMIN_PORT: '0' })))
  t.same(faultsOf(t, { ADMIN_PORT: '65536' }), ['ADMIN_PORT: must be an integer from 0 to 65535'])
})

test('the environment is production unless it is development', async t => {
  t.equal(readConfig({ HEADWATERS_ENV: 'development' }, upstreams).env, 'development')
  t.equal(readConfig({ HEADWATERS_ENV: '' }, upstreams).env, 'production')
  t.same(faultsOf(t, { HEADWATERS_ENV: 'dev' }), ['HEADWATERS_ENV: must be production or development'])
})

test('an admin host needs a key unless it is a loopback address', async t => {
  for (const host of ['127.0.0.1', '127.0.0.2', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', 'localhost'])
    t.equal(readConfig({ ADMIN_PORT: '9464', ADMIN_HOST: host }, upstreams).admin.listener?.host, host)
  for (const host of [
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '2001:db8::1',
    '::ffff:10.0.0.1',
    'admin.example',
    '[::1]',
    '127.1',
  ]) {
    const [fault = '', ...others] = faultsOf(t, { ADMIN_PORT: '9464', ADMIN_HOST: host })
    t.same(others, [])
    t.ok(fault.startsWith(`ADMIN_KEY: is required, because ADMIN_HOST ${host} is not a loopback address: set `), fault)
  }
  t.match(faultsOf(t, { ADMIN_HOST: '0.0.0.0' }), [/^ADMIN_KEY: is required/], 'also before a port is set')
})

test('an admin key is checked as an API key is, and is not shown', async t => {
  t.same(faultsOf(t, { ADMIN_KEY: 'tooshort' }), ['ADMIN_KEY: has fewer than 16 characters: use 16 or more'])
  for (const key of [`${adminKey},${adminKey}`, `${adminKey} and more`, '='.repeat(16)])
    t.same(faultsOf(t, { ADMIN_KEY: key }), [
      'ADMIN_KEY: has a character that a bearer token cannot contain: use letters, digits and - . _ ~ + /',
    ])
})

test('an API key that is also the admin key is refused', async t => {
  t.same(faultsOf(t, { ADMIN_KEY: adminKey, API_KEYS: `first-key-0123456789,${adminKey}` }), [
    'ADMIN_KEY: is also in API_KEYS, and callers must not have it: set another key',
  ])
})

test('one port for callers and for the operator is refused', async t => {
  for (const environment of [{ PORT: '9464' }, { PORT: '9464', HOST: '::1' }])
    t.same(faultsOf(t, { ...environment, ADMIN_PORT: '9464' }), [
      'ADMIN_PORT: is the same as PORT, 9464: set another port, or 0 for any free port',
    ])
  t.match(faultsOf(t, { ADMIN_PORT: '3000' }), [/^ADMIN_PORT: is the same as PORT, 3000/], 'the default of PORT counts')
  t.equal(readConfig({ PORT: '0', ADMIN_PORT: '0' }, upstreams).admin.listener?.port, 0)
})

test('LOG_COMPLETE_PERCENT is a number from 0 to 100', async t => {
  for (const [text, value] of [
    ['0', 0],
    ['100', 100],
    ['12.5', 12.5],
  ] as const)
    t.equal(readConfig({ LOG_COMPLETE_PERCENT: text }, upstreams).logCompletePercent, value)
  for (const wrong of ['-1', '100.1', '10%', 'all'])
    t.same(faultsOf(t, { LOG_COMPLETE_PERCENT: wrong }), ['LOG_COMPLETE_PERCENT: must be a number from 0 to 100'])
})

test('the variables for the log have their effective values, and no secret', async t => {
  const keys = 'key-of-sixteen-characters,another-of-sixteen-characters'
  const info = 'x'.repeat(600)
  const shown = shownVariables({ PORT: ' 8080 ', API_KEYS: keys, TRUST_PROXY: '10.0.0.0/8', OPENAPI_INFO: info })
  t.match(shown, {
    HOST: '127.0.0.1',
    PORT: 8080,
    LOG_COMPLETE_PERCENT: 100,
    OFFLOAD_THREADS: 'auto',
    TRUST_PROXY: ['10.0.0.0/8'],
    CORS_ORIGINS: [],
    API_KEYS: '[redacted]',
    OPENAPI_INFO: `${'x'.repeat(500)}[cut] (100 more)`,
  })
  t.same(shownVariables({})['API_KEYS'], [], 'no key is set')
  t.same(Object.keys(shown), Object.keys(Environment.shape))
  const secret = 'a-secret-of-sixteen-characters'
  const secrets = Object.keys(shown).filter(name => /KEY|SECRET|TOKEN|PASSWORD/.test(name))
  for (const name of secrets) t.notMatch(JSON.stringify(shownVariables({ [name]: secret })), secret, name)
})
