import { once } from 'node:events'
import { Agent } from 'node:http'
import { connect } from 'node:net'
import tap, { test } from 'tap'
import { callers } from './helpers/callers.ts'
import { definitions, whoAnswers, workersService } from './helpers/workers-service.ts'
import { until } from '../../helpers/until.ts'

// Each of its services starts several processes.
tap.setTimeout(120_000)

test('SIGUSR2 replaces one worker after the other, with the definitions as they are then, and drops no request', async t => {
  const { ask, said, log, stop, define, upstream, answers } = await workersService(t)
  const before = new Set((await whoAnswers(ask, 4)).map(({ pid }) => pid))
  const inFlight = [ask('/hung'), ask('/hung')]
  await upstream.asked(2)
  const busy = callers(ask, 8)

  define(definitions({ version: 2 }))
  stop('SIGUSR2')
  t.match(await said('draining'), { mode: 'replace' })
  t.equal(
    log.filter(({ msg }) => msg.includes('listening')).length,
    3,
    'one is new, and listens before one of the old ones is stopped',
  )
  for (const answer of answers) answer()
  await said('rolling restart completed')
  const { versions, failures } = await busy.end()
  t.same(failures, [])
  t.ok((versions.get(1) ?? 0) > 0 && (versions.get(2) ?? 0) > 0)
  t.comment(`answers by version: ${JSON.stringify([...versions])}`)

  for (const { status, body } of await Promise.all(inFlight)) t.match([status, body.data.version], [200, 1])
  const after = await whoAnswers(ask, 4)
  t.ok(after.every(({ pid, version }) => !before.has(pid) && version === 2))
  t.equal(new Set(after.map(({ pid }) => pid)).size, 2)
})

test('a restart with repaired definitions ends the report of a refused reload', async t => {
  const { origin, said, stop, define } = await workersService(t, { environment: { HEADWATERS_ENV: 'development' } })
  const isRefused = async () => /^headwaters_reload_refused 1$/m.test(await (await fetch(`${origin}/metrics`)).text())
  define("throw new Error('no')")
  stop('SIGHUP')
  await said('reload failed')
  t.ok(await isRefused())
  define(definitions({ version: 2 }))
  stop('SIGUSR2')
  await said('rolling restart completed')
  t.notOk(await isRefused())
})

test('a connection that is kept ends with an answer of the worker it belongs to, and the next one is of another', async t => {
  const { ask, said, stop } = await workersService(t)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const first = await ask('/who', agent)
  t.equal(first.connection, 'keep-alive')
  stop('SIGUSR2')
  let last = first
  await until(async () => {
    last = await ask('/who', agent)
    if (last.status !== 200) t.fail(`status ${last.status}`)
    return last.connection === 'close'
  })
  t.equal(last.body.data.pid, first.body.data.pid)
  t.not((await ask('/who', agent)).body.data.pid, first.body.data.pid)
  await said('rolling restart completed')
})

test('connections that stay idle are closed after a while, and hold no restart', async t => {
  const { said, stop, port } = await workersService(t)
  const idle = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
  t.teardown(() => {
    for (const socket of idle) socket.destroy()
  })
  await Promise.all(idle.map(socket => once(socket, 'connect')))
  const closed = Promise.all(idle.map(socket => once(socket.resume(), 'close')))
  stop('SIGUSR2')
  await said('rolling restart completed')
  t.equal((await closed).length, 2)
})
