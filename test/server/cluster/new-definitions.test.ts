import { join } from 'node:path'
import tap, { test } from 'tap'
import { definitionsFolder } from '../../helpers/definitions-folder.ts'
import { definitions, whoAnswers, workersService } from './helpers/workers-service.ts'

// It starts a dozen processes one after the other.
tap.setTimeout(120_000)

test('a new worker that cannot start changes nothing, and the log says why', async t => {
  const { ask, said, stop, define, saidTimes } = await workersService(t)
  const before = new Set((await whoAnswers(ask, 4)).map(({ pid }) => pid))
  const broken = [
    ['export const nothing = 1', { faults: [/no module in it exports an aggregate/] }],
    [definitions({ concurrency: 1 }), { faults: [/^upstream 'source': concurrency is 1, too few for 2 workers/] }],
    [
      definitions({ atLoad: 'if (cluster.isWorker) process.exit(3)' }),
      { err: { message: /exited with code 3 before it listened/ } },
    ],
  ] as const
  for (const [index, [text, line]] of broken.entries()) {
    define(text)
    stop('SIGUSR2')
    t.match((await saidTimes('rolling restart failed', index + 1))[index], {
      level: 50,
      worker: 1,
      restarted: 0,
      ...line,
    })
    t.ok((await whoAnswers(ask, 4)).every(({ pid, version }) => before.has(pid) && version === 1))
  }
  define(definitions({ version: 3 }))
  stop('SIGUSR2')
  await said('rolling restart completed')
  t.ok((await whoAnswers(ask, 4)).every(({ version }) => version === 3))
})

test('SIGUSR2 during a restart begins another one after it', async t => {
  const { ask, said, saidTimes, stop, define, log } = await workersService(t)
  define(definitions({ version: 2 }))
  stop('SIGUSR2')
  await said('rolling restart started')
  await said('draining')
  define(definitions({ version: 3 }))
  stop('SIGUSR2')
  await saidTimes('rolling restart completed', 2)
  t.ok((await whoAnswers(ask, 4)).every(({ version }) => version === 3))
  t.equal(log.filter(({ msg }) => msg === 'rolling restart started').length, 2)
})

test('SIGUSR2 reads the environment file of Node.js again', async t => {
  const { path, write } = definitionsFolder(t, { '.env': 'VARIABLE=first\n' })
  const { ask, said, stop } = await workersService(t, { node: [`--env-file=${join(path, '.env')}`] })
  t.ok((await whoAnswers(ask, 2)).every(({ variable }) => variable === 'first'))
  write('.env', 'VARIABLE=second\n')
  stop('SIGUSR2')
  await said('rolling restart completed')
  t.ok((await whoAnswers(ask, 2)).every(({ variable }) => variable === 'second'))
})
