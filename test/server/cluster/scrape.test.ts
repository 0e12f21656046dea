import tap, { test } from 'tap'
import { until } from '../../helpers/until.ts'
import { parseExposition } from '../../metrics/helpers/exposition.ts'
import { promtoolComplaints, whyNoPromtool } from '../../metrics/helpers/promtool.ts'
import { whoAnswers, workersService } from './helpers/workers-service.ts'

// Each of its services starts several processes.
tap.setTimeout(120_000)

const environment = { HEADWATERS_ENV: 'development' }

/** Scrapes over a connection of its own, so that the next scrape is of the next worker. */
async function scrape(origin: string, accept = '*/*'): Promise<string> {
  const response = await fetch(`${origin}/metrics`, { headers: { connection: 'close', accept } })
  if (response.status !== 200) throw new Error(`the scrape has the status ${response.status}`)
  return response.text()
}

/** The value of a series, from its name and one of its labels. */
function valueOf(text: string, name: string, label = ''): number | undefined {
  return parseExposition(text)
    .flatMap(({ samples }) => samples)
    .find(sample => sample.name === name && (label === '' || Object.values(sample.labels).includes(label)))?.value
}

test('a scrape of each worker has the runs of all workers, and keeps them after a restart and after a crash', async t => {
  const { ask, origin, stop, said, saidTimes, ended } = await workersService(t, { environment })
  const runs = async () => valueOf(await scrape(origin), 'headwaters_runs_total', 'who')
  t.equal(new Set((await whoAnswers(ask, 6)).map(({ pid }) => pid)).size, 2)
  // On a busy machine a worker may take more than a second to answer, and is then left out of a scrape.
  await until(async () => (await runs()) === 6)
  for (let time = 0; time < 4; time++) t.equal(await runs(), 6)
  stop('SIGUSR2')
  await said('rolling restart completed')
  for (let time = 0; time < 2; time++) t.equal(await runs(), 6, 'after a restart')
  await whoAnswers(ask, 4)
  await until(async () => (await runs()) === 10)
  await ask('/crash').catch(() => {})
  await said('worker exited unexpectedly; restarting')
  // Two at the start, two of the restart, and one after the crash.
  await saidTimes('Server listening', 5)
  for (let time = 0; time < 2; time++) t.equal(await runs(), 10, 'after a crash')
  await whoAnswers(ask, 2)
  await until(async () => (await runs()) === 12)
  stop('SIGTERM')
  t.same(await ended, { code: 0, signal: null })
})

test('gauges are of living workers only, and facts of the version are not added up', async t => {
  const { ask, origin, upstream, answers } = await workersService(t, { environment })
  const held = [ask('/hung'), ask('/hung')]
  await upstream.asked(2)
  let text = ''
  await until(async () => valueOf((text = await scrape(origin)), 'headwaters_permits_in_use', 'source') === 2)
  t.equal(valueOf(text, 'headwaters_permits_limit', 'source'), 8)
  t.equal(valueOf(text, 'headwaters_build_info'), 1)
  t.equal(valueOf(text, 'headwaters_log_lines_lost_total'), 0)
  t.ok((valueOf(text, 'process_resident_memory_bytes') ?? 0) > 3 * 30e6, 'the memory of three processes')
  for (const answer of answers) answer()
  await Promise.all(held)
  await until(async () => valueOf(await scrape(origin), 'headwaters_permits_limit', 'source') === 8)
  t.equal(valueOf(await scrape(origin), 'headwaters_permits_in_use', 'source') ?? 0, 0)
})

test('promtool has no complaint about the text of several workers', { skip: whyNoPromtool() }, async t => {
  const { ask, origin } = await workersService(t, { environment })
  await whoAnswers(ask, 4)
  t.equal(promtoolComplaints(await scrape(origin)), '')
  const openmetrics = await scrape(origin, 'application/openmetrics-text')
  t.ok(parseExposition(openmetrics, 'openmetrics').length > 20)
})
