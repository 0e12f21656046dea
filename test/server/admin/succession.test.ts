import tap, { test } from 'tap'
import type { RunList } from '../../../src/waterfall/kept-run.ts'
import { definitionsFolder, words } from '../../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { until } from '../../helpers/until.ts'
import { openDashboard } from '../workers/helpers/open-dashboard.ts'
import { get } from '../workers/helpers/two-workers.ts'
import { adminService, scrape, valueOf } from './helpers/admin-service.ts'

// Reloads can be slow on a busy machine.
tap.setTimeout(200_000)

test('the admin listener stays open when a worker replaces the process, and then shows the worker', async t => {
  const upstream = await rawUpstream(t, json({ word: 'cat' }))
  const { path, write } = definitionsFolder(t, { 'words.ts': words(upstream.origin) })
  const { port, adminPort, stop, said, saidTimes, ended } = await adminService(t, {}, ['serve', path], {
    program: 'test/server/helpers/serve-three-reloads.ts',
  })
  await said('serving')
  t.equal((await get(port, '/words')).status, 200)
  const dashboard = await openDashboard(t, adminPort)
  await dashboard.hello()
  for (let reload = 1; reload <= 4; reload++) {
    write('words.ts', words(upstream.origin, { before: `${reload} ` }))
    stop('SIGHUP')
    await saidTimes('definitions reloaded', reload)
  }
  await dashboard.sample(({ workers }) => JSON.stringify(workers) === '[{"worker":1,"state":"running"}]')
  const before = dashboard.runs('words')
  t.match(await get(port, '/words'), { status: 200, body: { data: { word: '4 cat' } } })
  await until(() => dashboard.runs('words') > before)
  t.match(await get(adminPort, '/explain/words'), { status: 200, body: { aggregate: 'words' } })
  t.match(await get<RunList>(adminPort, '/requests'), { body: { runs: [{ worker: 1, aggregate: 'words' }] } })
  const { text } = await scrape(adminPort)
  t.equal(valueOf(text, 'headwaters_reloads_total{result="ok"}'), 4)
  const runs = text.split('\n').filter(line => line.startsWith('headwaters_runs_total{') && line.includes('words'))
  t.equal(
    runs.reduce((sum, line) => sum + Number(line.split('} ')[1]?.split(' ')[0]), 0),
    2,
    'the run of the process that was replaced, and that of the worker',
  )
  stop('SIGTERM')
  t.same(await ended, { code: 0, signal: null })
})
