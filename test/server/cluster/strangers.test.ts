import { test } from 'tap'
import { definitionsFolder } from '../../helpers/definitions-folder.ts'
import { runCommand } from '../../helpers/service-process.ts'
import { definitions, whoAnswers, workersService } from './helpers/workers-service.ts'

/** Sends everything that is no message of ours, and what looks like one, from a worker and from the primary. */
const strangers = `
const values = [null, 0, 'stop', true, [], [null],
  {},
  { kind: null },
  { kind: 'alive' },
  { kind: 'failed' },
  { kind: 'failed', failure: null },
  { kind: 'failed', failure: { name: 'Error', message: 'not ours' } },
  { kind: 'listening' },
  { kind: 'listening', port: 1, drainMs: 0 },
  { kind: 'count' },
  { kind: 'count', id: 0, client: 'a', calls: 1 },
  { kind: 'stop' },
  { kind: 'stop', mode: 'drain' },
  { kind: 'stop', mode: 'replace' },
  { kind: 'counted' },
  { kind: 'counted', id: 0, current: 1e9, ttl: 1e9 },
  { headwaters: true, kind: 'stop', mode: 'drain' },
  { headwaters: '', kind: 'failed', failure: { name: 'Error', message: 'not ours' } }]
const sendAll = target => { for (const value of values) target.send(value) }
if (cluster.isWorker) sendAll(process)
else cluster.on('listening', worker => sendAll(worker))
`

test('messages of a definitions module end neither the primary nor a worker, and change nothing', async t => {
  const { ask, log, stop, ended, errors } = await workersService(t, {
    definitions: definitions({ atLoad: strangers }),
    environment: { RATE_LIMIT: '100' },
  })
  t.equal(new Set((await whoAnswers(ask, 6)).map(({ pid }) => pid)).size, 2)
  t.same(
    log.filter(({ level }) => level >= 40),
    [],
  )
  stop('SIGTERM')
  t.same(await ended, { code: 0, signal: null })
  t.equal(await errors, '')
})

test('an error of a definitions module ends the start with a reason, whatever its fields are', async t => {
  const atLoad = 'if (cluster.isWorker) throw Object.assign(new Error("odd"), { name: 1, code: { a: 1 }, stack: 5 })'
  const { path } = definitionsFolder(t, { 'aggregates.mjs': definitions({ atLoad }) })
  const { code, errors } = await runCommand(t, ['serve', path, '--workers', '2'], { PORT: '0' })
  t.equal(code, 2)
  t.match(errors, /odd/)
})
