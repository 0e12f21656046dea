import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import tap, { test, type Test } from 'tap'
import { doubles, inputLines, readLines, slowDouble, untilChunks } from '../helpers/bulk-definitions.ts'
import { childEnvironment } from '../helpers/child-environment.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { runCommand } from '../helpers/service-process.ts'
import { openTerminal, whyNoTerminal } from '../helpers/terminal.ts'

// Each test starts several processes.
tap.setTimeout(180_000)

const root = join(import.meta.dirname, '../..')

function prepared(t: Test, count: number, lines = inputLines(count)) {
  const { path, write } = definitionsFolder(t, { 'double.ts': slowDouble, 'inputs.ndjson': lines })
  const file = (name: string) => join(path, name)
  const args = ['bulk', 'double', file('inputs.ndjson'), file('double.ts'), '--dir', file('bulk')]
  return { path, file, write, dir: file('bulk'), args, output: file('results.ndjson') }
}

/** Starts the command and returns its process. */
function start(t: Test, args: readonly string[]) {
  const child = spawn(process.execPath, ['src/cli.ts', ...args], {
    cwd: root,
    env: childEnvironment,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  t.teardown(() => child.kill('SIGKILL'))
  return { child, exited, errors: text(child.stderr) }
}

test('the results of a file are printed in order, and the folder is empty afterwards', async t => {
  const { args, dir } = prepared(t, 230)
  const { code, output, errors } = await runCommand(t, args)
  t.same(readLines(output), doubles(230))
  t.equal(code, 0)
  t.match(errors, /^0 of 230 items, 0\.0 items\/s, 0 failed\n/)
  t.match(errors, /230 of 230 items, \d+ items\/s, 0 failed\n$/)
  t.same(await readdir(join(dir, 'objects', 'uploads')), [])
})

test('a run that was killed goes on with the same command', async t => {
  const { args, dir, output } = prepared(t, 2000)
  const first = start(t, [...args, '--output', output])
  await untilChunks(dir, 3)
  first.child.kill('SIGKILL')
  await first.exited
  const { code, output: printed, errors } = await runCommand(t, [...args, '--output', output])
  t.equal(code, 0)
  t.equal(printed, '')
  t.notMatch(errors, /^0 of 2000 items/, 'the results of the first start count')
  t.same(readLines(readFileSync(output, 'utf8')), doubles(2000))
})

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  test(`${signal} leaves a run that the same command goes on with`, async t => {
    const { args, dir } = prepared(t, 2000)
    const first = start(t, [...args, '--concurrency', '4'])
    await untilChunks(dir, 1)
    first.child.kill(signal)
    t.same(await first.exited, [exitCode, null])
    t.match(await first.errors, /interrupted: the same command goes on with the items that have no results\n$/)
    const { code, output } = await runCommand(t, args)
    t.equal(code, 0)
    t.equal(readLines(output).length, 2000)
  })

/** Resolves when the run of the command has results. Returns the folder of its objects. */
async function untilStarted(dir: string): Promise<string> {
  await untilChunks(dir, 1)
  const runs = join(dir, 'objects', 'runs', 'command')
  const [id] = await readdir(runs)
  const [upload] = (await readdir(join(runs, id as string))).filter(name => name !== 'manifest')
  return join(runs, id as string, upload as string)
}

test('a run that another process removes is a failure, and not an empty output', async t => {
  const { args, dir, output } = prepared(t, 2000)
  const { exited, errors } = start(t, [...args, '--output', output])
  await rm(dirname(await untilStarted(dir)), { recursive: true, force: true })
  t.same(await exited, [1, null])
  t.match(await errors, /the run was removed from .* before its results were written: start the command again\n$/)
  t.equal(existsSync(output), false)
})

test('a folder that cannot be read for a time does not end the command', async t => {
  const { args, dir, output } = prepared(t, 1000)
  const { child, exited } = start(t, [...args, '--output', output])
  const pauses = join(await untilStarted(dir), 'pauses')
  writeFileSync(pauses, 'not a folder')
  await new Promise<void>(resolve => {
    // The command has looked at the run several times before the second pause.
    child.stderr.on('data', (bytes: Buffer) => {
      if (/ENOTDIR.* in 1000 ms/.test(bytes.toString())) resolve()
    })
    void exited.then(() => resolve())
  })
  await rm(pauses)
  t.same(await exited, [0, null])
  t.same(readLines(readFileSync(output, 'utf8')), doubles(1000))
})

test('a failed item is a line, and the exit code is 1', async t => {
  const { args } = prepared(t, 0, '{"body":{"n":1}}\n{"body":{}}\n')
  const { code, output, errors } = await runCommand(t, args)
  t.equal(code, 1)
  t.match(output, /"index":0,"status":200.*\n\{"index":1,"status":400,"problem":\{.*INPUT_INVALID/)
  t.match(errors, /2 of 2 items, .* 1 failed\n$/)
})

test('wrong arguments and inputs are refused', async t => {
  const { file, write, args } = prepared(t, 1)
  write('empty.ndjson', '\n')
  for (const [given, message] of [
    [['bulk'], /bulk needs the name of an aggregate and a file/],
    [['bulk', 'double', file('none.ndjson')], /no such file or folder/],
    [['bulk', 'duoble', file('inputs.ndjson'), file('double.ts')], /unknown aggregate 'duoble'/],
    [['bulk', 'double', file('empty.ndjson'), file('double.ts'), '--dir', file('bulk')], /The body has no inputs/],
    [[...args, '--live'], /--live applies to the built-in aggregates only/],
    [[...args, '--concurrency', '0'], /--concurrency must be an integer from 1 to 1000, got '0'/],
  ] as const) {
    const { code, errors } = await runCommand(t, given)
    t.equal(code, 2, given.join(' '))
    t.match(errors, message)
  }
  t.match((await runCommand(t, ['bulk', '--help'])).output, /^headwaters: runs an aggregate for each line/)
})

test('a terminal shows a bar', { skip: whyNoTerminal() }, async t => {
  const { args, output } = prepared(t, 3000)
  const terminal = await openTerminal(t)
  await terminal.type(`node src/cli.ts ${[...args, '--output', output].join(' ')} --concurrency 4`)
  await terminal.press('Enter')
  await terminal.until(lines => lines.some(line => /█+░+ \d+ of 3000 items, [\d.]+ items\/s, 0 failed/.test(line)))
  const end = await terminal.until(lines => lines.some(line => /█{30} 3000 of 3000 items/.test(line)))
  t.ok(end.length > 0)
})
