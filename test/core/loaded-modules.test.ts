import { execFileSync } from 'node:child_process'
import { test } from 'tap'
import undici from 'undici'
import { Client, createConnector, errors, request } from '../../src/core/undici.ts'

/** Returns the modules that a process has loaded after it has imported a module of this package. */
function loadedBy(path: string): { readonly native: readonly string[]; readonly undici: readonly string[] } {
  const url = new URL(`../../src/${path}`, import.meta.url).href
  const script = `
    import { createRequire } from 'node:module'
    await import(${JSON.stringify(url)})
    const undici = Object.keys(createRequire(import.meta.url).cache).filter(path => path.includes('/undici/'))
    process.stdout.write(JSON.stringify({ native: process.moduleLoadList, undici }))`
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }))
}

test('the parts of undici that are loaded alone are the ones of its main module', async t => {
  t.equal(Client, undici.Client)
  t.equal(createConnector, undici.buildConnector)
  t.equal(request, Reflect.get(undici.Dispatcher.prototype, 'request'))
  t.equal(errors, undici.errors)
})

for (const path of ['index.ts', 'app.ts', 'server/serve.ts'])
  test(`${path} loads neither the copy of undici in Node.js nor the parts of undici that are not used`, async t => {
    const loaded = loadedBy(path)
    t.notMatch(loaded.native.join('\n'), 'internal/deps/undici')
    t.ok(loaded.undici.some(file => file.endsWith('lib/dispatcher/client.js')))
    t.notOk(loaded.undici.find(file => file.includes('/lib/web/')))
    t.notOk(loaded.undici.find(file => file.includes('/lib/mock/')))
  })
