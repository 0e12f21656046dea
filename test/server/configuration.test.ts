import { test, type Test } from 'tap'
import { openCatalogue } from '../../src/definitions/catalogue.ts'
import { readableLine } from '../../src/log/readable-line.ts'
import { configurationOf } from '../../src/server/process/configuration.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { startService } from '../helpers/service-process.ts'

const definitions = `
import { aggregate, defineUpstream, env, operation } from 'headwaters'
import { z } from 'zod'

const operations = { ask: operation({ path: '/ask', output: z.unknown() }) }
defineUpstream('plain', { origin: 'http://127.0.0.1:9' }, operations)
defineUpstream('bearer', { origin: 'https://bearer.example', auth: { bearer: env('BEARER') } }, operations)
defineUpstream('several', { origins: [{ origin: 'http://a.example/v1/', weight: 2 }, 'http://b.example/v1'] }, operations)
defineUpstream('oauth', {
  origin: 'https://oauth.test/v1/',
  auth: { oauth2: {
    tokenUrl: env('TOKEN_URL'), clientId: 'us', clientSecret: env('CLIENT_SECRET'),
    audience: env('AUDIENCE'), parameters: { tenant: env('TENANT') },
  } },
  proxy: true,
}, operations)
defineUpstream('unused', { origin: 'https://unused.example', auth: { bearer: env('UNUSED') } }, operations)
export const it: unknown = aggregate('it', { url: '/it' }).reply(z.unknown(), () => 1)
`

const environment = {
  PORT: '0',
  API_KEYS: 'first-5ecret-of-16,second-5ecret-of-16',
  BEARER: 'bearer-5ecret-A',
  TOKEN_URL: 'http://token-user-5ecret:token-5ecret@127.0.0.1:9/token?key=query-5ecret',
  CLIENT_SECRET: 'client-5ecret-D',
  AUDIENCE: 'audience-5ecret-F',
  TENANT: 'tenant-5ecret-G',
  https_proxy: 'http://us:proxy-5ecret-E@127.0.0.1:3128',
  NO_PROXY: '.internal',
  HEADWATERS_UPSTREAM_BEARER_ORIGIN: 'http://127.0.0.1:4000/base/',
  HEADWATERS_UPSTREAM_UNUSED_OFF: '1',
  HEADWATERS_UPSTREAM_PLAIN_CONCURRENCY: ' ',
  OTHER_SECRET: 'other-5ecret',
}

async function configuration(t: Test, variables: Readonly<Record<string, string>> = environment) {
  const { path } = definitionsFolder(t, { 'all.ts': definitions })
  const catalogue = await openCatalogue({ paths: [path], live: false, environment: variables })
  t.teardown(() => catalogue.close())
  return configurationOf(catalogue, 1)
}

test('the configuration has the variables that are set, the defaults of the others, and the origins of upstreams', async t => {
  const { set, defaults, origins } = await configuration(t, { ...environment, TOKEN_URL: 'http://127.0.0.1:9/token' })
  t.same(set, {
    PORT: 0,
    API_KEYS: '[redacted]',
    HEADWATERS_UPSTREAM_BEARER_ORIGIN: 'http://127.0.0.1:4000/base/',
    HEADWATERS_UPSTREAM_UNUSED_OFF: '1',
    https_proxy: 'http://127.0.0.1:3128',
    NO_PROXY: '.internal',
    BEARER: '[redacted]',
    TOKEN_URL: '[redacted]',
    CLIENT_SECRET: '[redacted]',
    AUDIENCE: '[redacted]',
    TENANT: '[redacted]',
  })
  t.match(defaults, { HOST: '127.0.0.1', LOG_LEVEL: 'info', RATE_LIMIT: 0 })
  t.notOk('PORT' in defaults)
  t.same(origins, {
    plain: 'http://127.0.0.1:9',
    bearer: 'http://127.0.0.1:4000/base',
    several: 'http://a.example/v1 (weight 2), http://b.example/v1',
    oauth: 'https://oauth.test/v1',
    unused: 'off',
  })
})

test('the configuration omits proxies without an upstream that uses them', async t => {
  const catalogue = await openCatalogue({ paths: [], live: true, environment: { HTTP_PROXY: 'http://127.0.0.1:1' } })
  t.teardown(() => catalogue.close())
  t.same(configurationOf(catalogue, 1).set, {})
})

test('the configuration is one line at the start of the service, without a secret', { timeout: 120_000 }, async t => {
  const { path } = definitionsFolder(t, { 'all.ts': definitions })
  const variables = { ...environment, TOKEN_URL: 'http://127.0.0.1:9/token-5ecret' }
  for (const args of [[], ['--watch'], ['--workers', '2']]) {
    const { log, said, stop, ended } = await startService(t, variables, ['serve', path, ...args])
    await said('serving')
    stop('SIGTERM')
    await ended
    const lines = log.filter(({ msg }) => msg === 'configuration')
    t.equal(lines.length, 1, args.join(' '))
    t.match(lines[0], {
      level: 30,
      set: { API_KEYS: '[redacted]', BEARER: '[redacted]' },
      defaults: { LOG_FORMAT: 'auto' },
      origins: { bearer: 'http://127.0.0.1:4000/base' },
    })
    t.notOk('worker' in (lines[0] as object))
    const { set, defaults } = lines[0] as unknown as ReturnType<typeof configurationOf>
    const expected = args.includes('--workers') ? [2, undefined] : [undefined, 1]
    t.same([set['HEADWATERS_WORKERS'], defaults['HEADWATERS_WORKERS']], expected, args.join(' '))
    t.notMatch(JSON.stringify(log), '5ecret')
  }
})

test('the configuration has the number of processes that serve, and not that of the environment', async t => {
  const counts = async (workers: number, given = '') => {
    const open = { HEADWATERS_WORKERS: given }
    const catalogue = await openCatalogue({ paths: [], live: true, environment: open })
    t.teardown(() => catalogue.close())
    const { set, defaults } = configurationOf(catalogue, workers)
    return [set['HEADWATERS_WORKERS'], defaults['HEADWATERS_WORKERS']]
  }
  t.same(await counts(1), [undefined, 1])
  t.same(await counts(2), [2, undefined])
  t.same(await counts(2, '3'), [2, undefined])
  t.same(await counts(1, '3'), [1, undefined])
  t.same(await counts(4, 'auto'), [4, undefined])
})

test('text has the configuration as blocks of short lines below its line', async t => {
  const { set, defaults, origins } = await configuration(t, { ...environment, TOKEN_URL: 'http://127.0.0.1:9/token' })
  const time = new Date(2026, 4, 1, 9, 8, 7, 65).getTime()
  const text = readableLine(JSON.stringify({ level: 30, time, set, defaults, origins, msg: 'configuration' }), false)
  const lines = text.trimEnd().split('\n')
  t.equal(lines[0], '09:08:07.065 INFO  configuration')
  t.match(lines[1], /^ {4}set: PORT=0 API_KEYS="\[redacted\]" /)
  for (const line of lines.slice(1)) {
    t.match(line, /^ {4}(?:set:|defaults:|origins:| ) \S+=/)
    t.ok(line.length <= 110, line)
  }
  t.match(lines.at(-1), /^ {4}(?:origins:| ) .*oauth=https:\/\/oauth\.test\/v1 unused=off$/)
  t.equal(
    readableLine(JSON.stringify({ level: 30, time, set: 'a', origins: { a: 'b'.repeat(200) }, msg: 'm' }), false),
    `09:08:07.065 INFO  m set=a\n    origins:\n      a=${'b'.repeat(200)}\n`,
  )
})
