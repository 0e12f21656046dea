import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { readConfig } from '../src/config.ts'
import { shownVariables } from '../src/config/shown-variables.ts'
import { redisSecrets, type RedisConfig } from '../src/redis-config.ts'
import { definitionsFolder } from './helpers/definitions-folder.ts'

const read = (environment: Readonly<Record<string, string>>) => readConfig(environment, []).redis

test('without a URL and options there is no Redis', async t => {
  t.equal(read({}), undefined)
  t.equal(read({ HEADWATERS_REDIS_PREFIX: 'shop' }), undefined)
  t.equal(read({ HEADWATERS_REDIS_URL: ' ', HEADWATERS_REDIS_OPTIONS: '' }), undefined)
})

test('a URL names the server, the access, the database and TLS', async t => {
  t.same(read({ HEADWATERS_REDIS_URL: 'redis://10.0.0.1' }), {
    server: { host: '10.0.0.1', port: 6379, db: 0, isTls: false },
    options: {},
    prefix: 'headwaters',
    patienceMs: 50,
  })
  t.same(read({ HEADWATERS_REDIS_URL: 'rediss://me:a%2Fb%40c@[::1]:6380/12', HEADWATERS_REDIS_PREFIX: 'shop:eu-1' }), {
    server: { host: '::1', port: 6380, username: 'me', password: 'a/b@c', db: 12, isTls: true },
    options: {},
    prefix: 'shop:eu-1',
    patienceMs: 50,
  })
})

test('options are JSON, or @ and a file', async t => {
  const { path } = definitionsFolder(t, {})
  const file = join(path, 'redis.json')
  writeFileSync(file, '{"name":"main","sentinels":[{"host":"10.0.0.1","port":26379}]}')
  const options = { name: 'main', sentinels: [{ host: '10.0.0.1', port: 26_379 }] }
  t.same(read({ HEADWATERS_REDIS_OPTIONS: `@${file}` }), { options, prefix: 'headwaters', patienceMs: 50 })
  t.same(read({ HEADWATERS_REDIS_OPTIONS: '{"db":3}' })?.options, { db: 3 })
  t.equal(read({ HEADWATERS_REDIS_URL: 'redis://a', HEADWATERS_REDIS_PATIENCE_MS: '200' })?.patienceMs, 200)
})

test('each fault names its variable and the fix, and has no password', async t => {
  const faults: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
    [
      { HEADWATERS_REDIS_URL: 'http://a:5ecret@b' },
      'HEADWATERS_REDIS_URL: must be a URL such as redis://user:password@',
    ],
    [{ HEADWATERS_REDIS_URL: 'redis:///0' }, 'HEADWATERS_REDIS_URL: must be a URL such as redis://user:password@'],
    [{ HEADWATERS_REDIS_URL: '127.0.0.1:6379' }, 'HEADWATERS_REDIS_URL: must be a URL such as redis://user:password@'],
    [{ HEADWATERS_REDIS_URL: 'redis://a/b' }, 'HEADWATERS_REDIS_URL: must end with the number of a database'],
    [{ HEADWATERS_REDIS_URL: 'redis://a/1.5' }, 'HEADWATERS_REDIS_URL: must end with the number of a database'],
    [{ HEADWATERS_REDIS_URL: 'redis://a?db=1' }, 'HEADWATERS_REDIS_URL: must not have a query or a fragment: set the '],
    [
      { HEADWATERS_REDIS_URL: 'redis://:5ecret%@a' },
      'HEADWATERS_REDIS_URL: has a user or a password that is not percent',
    ],
    [{ HEADWATERS_REDIS_OPTIONS: '{"password":5ecret}' }, 'HEADWATERS_REDIS_OPTIONS: the text cannot be read as JSON'],
    [
      { HEADWATERS_REDIS_OPTIONS: '["5ecret"]' },
      'HEADWATERS_REDIS_OPTIONS: must be a JSON object with options of ioredis',
    ],
    [
      { HEADWATERS_REDIS_OPTIONS: '@/nowhere/a.json' },
      "HEADWATERS_REDIS_OPTIONS: the file '/nowhere/a.json' cannot be read",
    ],
    [{ HEADWATERS_REDIS_PREFIX: 'a{b}' }, 'HEADWATERS_REDIS_PREFIX: must be 1 to 64 letters, digits or . _ : -'],
    [
      { HEADWATERS_REDIS_PREFIX: 'a'.repeat(65) },
      'HEADWATERS_REDIS_PREFIX: must be 1 to 64 letters, digits or . _ : -',
    ],
  ]
  for (const [environment, message] of faults) {
    t.throws(() => read(environment), { name: 'ConfigError' }, message)
    try {
      read(environment)
    } catch (error) {
      const { message: found } = error as Error
      t.ok(found.startsWith(message), found)
      t.notOk(found.includes('\n'), found)
      t.notMatch(found, '5ecret')
    }
  }
})

test('the secrets are the passwords and keys at any place', async t => {
  const config = read({
    HEADWATERS_REDIS_URL: 'redis://me:one@a',
    HEADWATERS_REDIS_OPTIONS: JSON.stringify({
      username: 'me',
      password: 'two',
      sentinelPassword: 'three',
      tls: { key: ['four', 'five'], ca: 'public' },
      nodes: [{ host: 'b', password: 'six' }],
    }),
  })
  t.same(redisSecrets(config as RedisConfig), ['one', 'two', 'three', 'four', 'five', 'six'])
  const nodes = ['redis://me:se%2Fven@a:1', 'redis://:eight@b:1', 'redis://me:ni%ne@c:1', 'redis://me@d:1', 'e:1']
  t.same(redisSecrets({ options: { nodes }, prefix: 'a', patienceMs: 50 }), ['se%2Fven', 'se/ven', 'eight', 'ni%ne'])
  t.same(redisSecrets({ options: { db: 1 }, prefix: 'a', patienceMs: 50 }), [])
})

test('the log has the server of the URL, and neither its password nor the options', async t => {
  const shown = (environment: Readonly<Record<string, string>>) => {
    const { HEADWATERS_REDIS_URL: url, HEADWATERS_REDIS_OPTIONS: options } = shownVariables(environment)
    return [url, options]
  }
  t.same(shown({}), ['', ''])
  t.same(
    shown({ HEADWATERS_REDIS_URL: 'rediss://me:5ecret@a:1/2', HEADWATERS_REDIS_OPTIONS: '{"password":"5ecret"}' }),
    ['rediss://[redacted]@a:1/2', '[redacted]'],
  )
  t.same(shown({ HEADWATERS_REDIS_URL: 'redis://a', HEADWATERS_REDIS_OPTIONS: '@/etc/redis.json' }), [
    'redis://a',
    '@/etc/redis.json',
  ])
})

const bulkOf = (environment: Readonly<Record<string, string>>) =>
  readConfig({ HEADWATERS_BULK_DIR: '/x', ...environment }, []).bulk

test('the queue of bulk runs has a URL of its own', async t => {
  t.same(bulkOf({})?.queue, undefined)
  t.same(bulkOf({ HEADWATERS_BULK_URL: 'redis://a/1' })?.queue, { url: 'redis://a/1' })
  const others = [
    { HEADWATERS_REDIS_URL: 'redis://a/0' },
    { HEADWATERS_REDIS_URL: 'redis://a:6380/1' },
    { HEADWATERS_REDIS_URL: 'redis://b/1' },
    { HEADWATERS_REDIS_URL: 'redis://a/1', HEADWATERS_REDIS_OPTIONS: '{"db":2}' },
  ]
  for (const other of others)
    t.ok(bulkOf({ HEADWATERS_BULK_URL: 'redis://a/1', ...other })?.queue, JSON.stringify(other))
})

test('faults of the queue of bulk runs name the variable and the fix, and have no password', async t => {
  const faults: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
    [{ HEADWATERS_BULK_URL: 'http://a:5ecret@b' }, 'HEADWATERS_BULK_URL: must be a URL such as redis://user:password@'],
    [{ HEADWATERS_BULK_URL: 'redis://:5ecret@a?db=1' }, 'HEADWATERS_BULK_URL: must not have a query or a fragment'],
    [
      { HEADWATERS_BULK_URL: 'redis://:5ecret@a', HEADWATERS_BULK_DIR: '' },
      'HEADWATERS_BULK_URL: requires HEADWATERS_BULK_DIR: set it to a folder that all machines share',
    ],
    ...(
      [
        ['redis://:5ecret@a/1', { HEADWATERS_REDIS_URL: 'redis://A:6379/1' }],
        ['redis://:5ecret@localhost', { HEADWATERS_REDIS_URL: 'redis://127.0.0.1/0' }],
        ['redis://:5ecret@b:6380', { HEADWATERS_REDIS_OPTIONS: '{"host":"b","port":6380}' }],
      ] as const
    ).map(
      ([url, other]) =>
        [
          { HEADWATERS_BULK_URL: url, ...other },
          'HEADWATERS_BULK_URL: is the server and the database of HEADWATERS_REDIS_URL: set another server',
        ] as const,
    ),
  ]
  for (const [environment, message] of faults) {
    t.throws(() => bulkOf(environment), { message: new RegExp(`^${message.replaceAll('?', '\\?')}`) })
    t.throws(() => bulkOf(environment), { message: /^(?!.*5ecret)/s })
  }
  t.equal(
    shownVariables({ HEADWATERS_BULK_URL: 'redis://me:5ecret@a/1' })['HEADWATERS_BULK_URL'],
    'redis://[redacted]@a/1',
  )
})
