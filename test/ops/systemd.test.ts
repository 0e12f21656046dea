import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { refusedVariables, secondsToExit, unknownVariables, type Variables } from './helpers/deployed-process.ts'
import { programMissing } from './helpers/program-missing.ts'

const skip = programMissing('systemd-analyze', ['--version'], 'systemd')
const folder = join(import.meta.dirname, '../../ops/systemd')
const read = (file: string) => readFileSync(join(folder, file), 'utf8')
const unit = read('headwaters.service')
const dropIn = read('headwaters.service.d/workers.conf')

/** Returns the values of a setting, in their order. */
const valuesOf = (text: string, name: string) =>
  Array.from(text.matchAll(new RegExp(`^${name}=(.*)$`, 'gm')), ([, value = '']) => value)

/** Returns the variables of `Environment=` of a text. */
const variablesOf = (text: string): Variables =>
  Object.fromEntries(valuesOf(text, 'Environment').flatMap(line => line.split(' ').map(each => each.split('='))))

/** Writes the unit with its drop-in, with a Node.js and files that exist here, and returns its path. */
function installed(t: Test, text = unit): string {
  const target = t.testdir({ 'headwaters.service.d': { 'workers.conf': dropIn } })
  const path = join(target, 'headwaters.service')
  writeFileSync(path, text.replace('/usr/bin/node', process.execPath))
  return path
}

test('systemd finds no fault in the unit and its drop-in', { skip }, async t => {
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', installed(t)], { encoding: 'utf8' })
  t.same({ status, stderr }, { status: 0, stderr: '' })
})

test('systemd finds an unknown setting, so that its silence means something', { skip }, async t => {
  const wrong = unit.replace('ProtectHome=yes', 'ProtectHouse=yes')
  const { stderr } = spawnSync('systemd-analyze', ['verify', installed(t, wrong)], { encoding: 'utf8' })
  t.match(stderr, /ProtectHouse/)
})

test('the exposure of the unit is at most 2.0 of 10 by systemd-analyze security', { skip }, async t => {
  const args = ['security', '--offline=true', '--threshold=20', installed(t)]
  const { status, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
  t.equal(status, 0, { output: stdout })
  t.match(stdout, /Overall exposure level/)
})

test('each variable of the unit and of its drop-in is one of the service, with a value that it accepts', async t => {
  for (const text of [unit, dropIn]) {
    const variables = variablesOf(text)
    t.ok(Object.keys(variables).length > 0)
    t.same(unknownVariables(variables), [])
    t.same(refusedVariables(variables), [])
  }
})

test('systemd kills the process after the time that it takes to drain and exit', async t => {
  const [alone, withWorkers] = [unit, dropIn].map(text => Number(valuesOf(text, 'TimeoutStopSec')[0]))
  t.equal(alone, secondsToExit(variablesOf(unit)))
  t.equal(withWorkers, secondsToExit({ ...variablesOf(unit), ...variablesOf(dropIn) }))
})

test('systemd does not restart a service whose settings or definitions are wrong', async t => {
  t.same(valuesOf(unit, 'RestartPreventExitStatus'), ['2'])
})
