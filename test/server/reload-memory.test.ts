import { join } from 'node:path'
import tap, { test } from 'tap'
import { definitionsFolder, words } from '../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { startService } from '../helpers/service-process.ts'

// Reloads can be slow on a busy machine.
tap.setTimeout(300_000)

const node = ['--import', join(import.meta.dirname, 'helpers/measure-heap.ts')]

/** Reloads before the first measurement. */
const warmUp = 10

/** The most that a reload may keep, in bytes: Node.js keeps the replaced module, and a replaced app would be much larger. */
const mostBytes = 100_000

for (const [workers, reloads] of [
  ['1', 100],
  ['2', 40],
] as const)
  test(`a reload keeps no replaced app, runtime or client in memory, with --workers ${workers}`, async t => {
    const upstream = await rawUpstream(t, json({ word: 'cat' }))
    const version = (number: number) => words(upstream.origin, { before: `${number} ` })
    const { path, write } = definitionsFolder(t, { 'words.ts': version(0) })
    const { origin, log, said, saidTimes, stop } = await startService(
      t,
      { ADMIN_PORT: '0' },
      ['serve', path, '--workers', workers],
      { node },
    )
    await said('serving')
    const { pid } = log.find(({ msg }) => msg.includes('Server listening')) as { readonly pid?: number }
    for (let number = 1; number <= warmUp + reloads; number++) {
      write('words.ts', version(number))
      stop('SIGHUP')
      await saidTimes('definitions reloaded', number)
      // The request opens a client: the declaration of the upstream is a new object in each version.
      t.match(await (await fetch(`${origin}/words`)).json(), { data: { word: `${number} cat` } })
      if (number === warmUp) process.kill(pid as number, 'SIGWINCH')
    }
    process.kill(pid as number, 'SIGWINCH')
    const [before, after] = (await saidTimes('heap measured', 2)).map(({ bytes }) => bytes as number)
    const perReload = ((after as number) - (before as number)) / reloads
    t.comment(`${Math.round(perReload)} bytes per reload`)
    t.ok(perReload < mostBytes, `${Math.round(perReload)} bytes per reload`)
  })
