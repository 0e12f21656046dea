import type { Test } from 'tap'
import { definitionsFolder } from '../../helpers/definitions-folder.ts'
import { startMuteService, startService } from '../../helpers/service-process.ts'
import { slack } from '../helpers/slack.ts'

/** A definitions file with an aggregate that writes 1 MB to stdout. */
const talkative = `
import { aggregate } from 'headwaters'
import { z } from 'zod'

export const talk: unknown = aggregate('talk', { url: '/talk' }).reply(z.unknown(), () => {
  for (let line = 0; line < 1000; line++) console.log(JSON.stringify({ level: 20, msg: 'x'.repeat(980) }))
  return 'said'
})
`

async function lostLines(origin: string): Promise<number> {
  const { status, lostLogLines } = (await (await fetch(`${origin}/health/ready`)).json()) as {
    readonly status: string
    readonly lostLogLines: number
  }
  if (status !== 'ready') throw new Error(`the service is ${status}`)
  return lostLogLines
}

/** Every write to stdout fails with `ENOSPC`. */
export async function fullDisk(t: Test): Promise<void> {
  const { origin, stop, ended, errors } = await startMuteService(t, '/dev/full', { LOG_LEVEL: 'debug' })
  for (let times = 0; times < 200; times++)
    if ((await fetch(`${origin}/health/live`)).status !== 200) t.fail(`request ${times} is not answered`)
  const lost = await lostLines(origin)
  t.ok(lost >= 190, `${lost} lines were lost and counted`)
  const before = performance.now()
  stop('SIGTERM')
  t.same(await ended, { code: 0, signal: null })
  t.ok(performance.now() - before < 2000 + slack)
  t.equal(await errors, '')
}

/** Stdout is open, and nothing reads it. */
export async function stoppedReader(t: Test): Promise<void> {
  const { origin, said, readLog, stop, exited } = await startService(t, {}, [
    'serve',
    definitionsFolder(t, { 'talk.ts': talkative }).path,
  ])
  await said('serving')
  readLog(false)
  for (let times = 0; times < 12; times++) t.equal((await fetch(`${origin}/talk`)).status, 200)
  const lost = await lostLines(origin)
  t.ok(lost > 3000, `${lost} of 12,000 lines did not fit`)
  readLog(true)
  t.match(await said('log lines lost'), { level: 40 })
  readLog(false)
  for (let times = 0; times < 12; times++) t.equal((await fetch(`${origin}/talk`)).status, 200)
  const before = performance.now()
  stop('SIGTERM')
  t.same(await exited, { code: 0, signal: null })
  t.ok(performance.now() - before < 2000 + slack)
  readLog(true)
}
