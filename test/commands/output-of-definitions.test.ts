import { test } from 'tap'
import { definitionsFolder, words } from '../helpers/definitions-folder.ts'
import { runCommand } from '../helpers/service-process.ts'

const printing = `console.log('printed'); process.stdout.write('written\\n'); const { stdout } = process; stdout.write('kept\\n')
${words('http://127.0.0.1:9')}`

for (const [what, args] of [
  ['openapi', ['openapi', '--json']],
  ['run', ['run', 'words', '--json']],
] as const)
  test(`${what}: what definitions write to stdout while they load goes to stderr`, async t => {
    const { path } = definitionsFolder(t, { 'words.ts': printing })
    const { output, errors } = await runCommand(t, [...args, path])
    t.doesNotThrow(() => JSON.parse(output))
    t.match(errors, /^printed\nwritten\nkept\n/)
  })

test('check: what definitions write to stdout while they load goes to stderr', async t => {
  const { path } = definitionsFolder(t, { 'words.ts': printing })
  const { output, errors } = await runCommand(t, ['check', path])
  t.match(output, /^1 aggregate\n/)
  t.match(errors, /^printed\nwritten\nkept\n/)
})

test('a failed load leaves what definitions wrote on stderr', async t => {
  const { path } = definitionsFolder(t, { 'words.ts': `console.log('printed'); throw new Error('no')` })
  const { code, output, errors } = await runCommand(t, ['openapi', path])
  t.equal(code, 2)
  t.equal(output, '')
  t.match(errors, /^printed\nheadwaters: invalid definitions\n/)
})
