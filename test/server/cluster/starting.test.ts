import { test } from 'tap'
import { definitionsFolder } from '../../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { startService } from '../../helpers/service-process.ts'
import { ask, definitions } from './helpers/workers-service.ts'

/** The second worker loads its definitions only when an upstream has answered it. */
const atLoad = 'if (cluster.worker?.id === 2) await fetch(process.env["HEADWATERS_UPSTREAM_SOURCE_ORIGIN"])'

test('SIGUSR2 while the workers start replaces them when all have started', async t => {
  const answers: (() => void)[] = []
  const upstream = await rawUpstream(t, socket => {
    answers.push(() => socket.write(json(1)))
  })
  const { path } = definitionsFolder(t, { 'aggregates.mjs': definitions({ atLoad }) })
  const { origin, log, said, stop, ended } = await startService(
    t,
    { HEADWATERS_UPSTREAM_SOURCE_ORIGIN: upstream.origin },
    ['serve', path, '--workers', '2'],
  )
  await upstream.asked(1)
  stop('SIGUSR2')
  stop('SIGUSR2')
  t.equal((await ask(`${origin}/who`)).status, 200, 'the first worker serves')
  answers[0]?.()
  await said('serving')
  await said('rolling restart completed')
  t.same(
    log.filter(({ level }) => level > 30),
    [],
  )
  t.equal((await ask(`${origin}/who`)).status, 200)
  stop('SIGTERM')
  t.same(await ended, { code: 0, signal: null })
})

test('SIGTERM while the workers start ends all of them', async t => {
  const upstream = await rawUpstream(t, () => {})
  const { path } = definitionsFolder(t, { 'aggregates.mjs': definitions({ atLoad }) })
  const { log, stop, ended } = await startService(t, { HEADWATERS_UPSTREAM_SOURCE_ORIGIN: upstream.origin }, [
    'serve',
    path,
    '--workers',
    '2',
  ])
  await upstream.asked(1)
  stop('SIGTERM')
  // The output is closed when the last process has ended.
  await ended
  t.same(
    log.filter(({ level }) => level > 40),
    [],
  )
})
