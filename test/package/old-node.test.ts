import { join } from 'node:path'
import { test, type Test } from 'tap'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { say } from '../helpers/packed-project.ts'

const root = join(import.meta.dirname, '../..')

/** Runs this Node.js, which says that it is of another version. */
async function runAs(t: Test, version: string, args: readonly string[]) {
  const { path } = definitionsFolder(t, {
    'version.cjs': `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`,
  })
  return say(root, process.execPath, ['--require', join(path, 'version.cjs'), ...args])
}

for (const version of ['18.20.8', '20.20.2', '22.22.0', '23.11.1']) {
  const needs = `Headwaters needs Node.js 24 or newer, and this is Node.js ${version}`

  test(`the command says on Node.js ${version} which Node.js it needs`, async t => {
    const { code, output } = await runAs(t, version, ['src/bin.cts', 'run', 'cat-facts'])
    t.equal(output, `${needs}\n`)
    t.equal(code, 1)
  })

  test(`each entrance of the package says on Node.js ${version} which Node.js it needs`, async t => {
    for (const entrance of ['index', 'app', 'testing/index']) {
      const { code, output } = await runAs(t, version, [`src/${entrance}.ts`])
      t.match(output, `\nError: ${needs}\n`, entrance)
      t.equal(code, 1)
    }
  })
}

test('on a Node.js that is new enough the command runs', async t => {
  for (const version of ['24.0.0', '26.1.0']) {
    const { code, output } = await runAs(t, version, ['src/bin.cts', '--version'])
    t.match(output, /^\d+\.\d+\.\d+\n$/)
    t.equal(code, 0)
  }
})
