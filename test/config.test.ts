import { test, type Test } from 'tap'
import { ConfigError, readConfig } from '../src/config.ts'

const upstreams = ['catfact-ninja', 'meowfacts']

/** The lines of the refusal. */
function faultsOf (t: Test, environment: Record<string, string>): string[] {
  try {
    readConfig(environment, upstreams)
  } catch (error) {
    t.type(error, ConfigError)
    return (error as ConfigError).message.split('\n')
  }
  t.fail('the configuration was taken')
  return []
}

test('an empty environment gives the defaults', async t => {
  t.same(readConfig({}, upstreams), { host: '127.0.0.1', port: 3000, logLevel: 'info', drainMs: 10_000, overrides: {} })
})

test('what is set stands over the defaults', async t => {
  const config = readConfig({ HOST: '::1', PORT: '0', LOG_LEVEL: 'warn', DRAIN_MS: '250' }, upstreams)
  t.same(config, { host: '::1', port: 0, logLevel: 'warn', drainMs: 250, overrides: {} })
})

test('variables that are not ours are passed by', async t => {
  t.same(readConfig({ PATH: '/bin', PORTS: 'x', HEADWATERS_OTHER: 'x' }, upstreams), readConfig({}, upstreams))
})

test('a variable that is set to nothing counts as not set', async t => {
  const blank = { HOST: '', PORT: '', LOG_LEVEL: '', DRAIN_MS: '', HEADWATERS_UPSTREAM_MEOWFACTS_SLOTS: '', HEADWATERS_UPSTREAM_NOBODY_SLOTS: '' }
  t.same(readConfig(blank, upstreams), readConfig({}, upstreams))
  t.same(readConfig({ PORT: undefined, HEADWATERS_UPSTREAM_MEOWFACTS_OFF: undefined }, upstreams), readConfig({}, upstreams))
})

test('a number made of blanks is not 0', async t => {
  for (const variable of ['PORT', 'DRAIN_MS']) {
    for (const blank of [' ', '\t', ' \n']) {
      try {
        t.same(readConfig({ [variable]: blank }, upstreams), readConfig({}, upstreams), `${variable}=${JSON.stringify(blank)} counts as not set`)
      } catch (error) {
        t.type(error, ConfigError, 'or it is refused')
      }
    }
  }
})

test('an upstream takes an origin, slots, a timeout and a switch', async t => {
  const { overrides } = readConfig({
    HEADWATERS_UPSTREAM_CATFACT_NINJA_ORIGIN: 'http://127.0.0.1:8080/cats',
    HEADWATERS_UPSTREAM_CATFACT_NINJA_SLOTS: '8',
    HEADWATERS_UPSTREAM_CATFACT_NINJA_TIMEOUT_MS: '350',
    HEADWATERS_UPSTREAM_CATFACT_NINJA_OFF: '0',
    HEADWATERS_UPSTREAM_MEOWFACTS_OFF: '1',
    HEADWATERS_UPSTREAM_MEOWFACTS_SLOTS: 'adaptive',
  }, upstreams)
  t.same(overrides, {
    'catfact-ninja': { origin: 'http://127.0.0.1:8080/cats', slots: 8, timeout: 350, off: false },
    meowfacts: { off: true, slots: 'adaptive' },
  })
})

test('the configuration is frozen', async t => {
  const config = readConfig({ HEADWATERS_UPSTREAM_MEOWFACTS_SLOTS: '8' }, upstreams)
  t.throws(() => { (config as { port: number }).port = 1 }, TypeError)
  t.throws(() => { (config.overrides as Record<string, object>)['meowfacts'] = {} }, TypeError)
})

test('each variable that cannot be read is refused by its name and with the reason', async t => {
  const refused = [
    ['PORT', 'x'], ['PORT', '65536'], ['PORT', '-1'], ['PORT', '80.5'], ['PORT', 'Infinity'],
    ['DRAIN_MS', '600001'], ['DRAIN_MS', '10s'],
    ['LOG_LEVEL', 'loud'],
    ['HEADWATERS_UPSTREAM_MEOWFACTS_SLOTS', '0'], ['HEADWATERS_UPSTREAM_MEOWFACTS_SLOTS', 'many'],
    ['HEADWATERS_UPSTREAM_MEOWFACTS_TIMEOUT_MS', '0'], ['HEADWATERS_UPSTREAM_MEOWFACTS_TIMEOUT_MS', '600001'],
    ['HEADWATERS_UPSTREAM_MEOWFACTS_OFF', 'yes'],
    ['HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN', 'nonsense'], ['HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN', 'ftp://127.0.0.1'],
    ['HEADWATERS_UPSTREAM_MEOWFACTS_ORIGIN', '127.0.0.1:80'],
  ] as const
  for (const [variable, value] of refused) {
    const [fault = '', ...others] = faultsOf(t, { [variable]: value })
    t.same(others, [], `${variable}=${value} is one fault`)
    t.match(fault, new RegExp(`^${variable}: .{5,}`))
  }
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
    'HEADWATERS_UPSTREAM_DOGFACTS_ORIGIN: names no upstream: there are catfact-ninja, meowfacts',
  ])
})

test('a variable of an upstream that sets nothing says what can be set', async t => {
  for (const variable of ['HEADWATERS_UPSTREAM_MEOWFACTS', 'HEADWATERS_UPSTREAM_MEOWFACTS_QUEUE', 'HEADWATERS_UPSTREAM_ORIGIN', 'HEADWATERS_UPSTREAM_meowfacts_ORIGIN']) {
    t.same(faultsOf(t, { [variable]: '1' }), [`${variable}: is not known: an upstream takes _ORIGIN, _SLOTS, _TIMEOUT_MS and _OFF`])
  }
})

test('all faults are listed at once', async t => {
  const faults = faultsOf(t, { PORT: 'x', LOG_LEVEL: 'loud', HEADWATERS_UPSTREAM_MEOWFACTS_SLOTS: '0', HEADWATERS_UPSTREAM_DOGFACTS_OFF: '1' })
  t.same(faults.map(fault => fault.split(':')[0]), ['PORT', 'LOG_LEVEL', 'HEADWATERS_UPSTREAM_MEOWFACTS_SLOTS', 'HEADWATERS_UPSTREAM_DOGFACTS_OFF'])
})
