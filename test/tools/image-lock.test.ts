import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { imageLock, type Lock, type Manifest } from '../../tools/image/lock.ts'

const read = (file: string): unknown => JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'))
const manifest = read('package.json') as Manifest
const lock = read('package-lock.json') as Lock
const image = imageLock(manifest, lock)
const packages = Object.entries(image.lock.packages).filter(([path]) => path !== '')

test('the lock of the image has the packages of the whole lock, with their versions and checksums', async t => {
  t.ok(packages.length > 80)
  for (const [path, { version, integrity }] of packages) t.match(lock.packages[path], { version, integrity }, path)
})

test('the image has what the service can load, and the build has the compiler', async t => {
  const isDevelopment = (name: string) => image.lock.packages[`node_modules/${name}`]?.['dev']
  for (const name of [...Object.keys(manifest.dependencies), 'zod', 'ioredis', '@opentelemetry/sdk-trace', 'denque'])
    t.ok(image.lock.packages[`node_modules/${name}`] !== undefined && isDevelopment(name) === undefined, name)
  for (const name of ['typescript', '@types/node']) t.equal(isDevelopment(name), true, name)
  for (const name of ['redis', 'iovalkey', 'tap', 'prettier'])
    t.notOk(`node_modules/${name}` in image.lock.packages, name)
})

test('a package is searched first in the folder of the package that needs it, as Node.js does', async t => {
  const { lock: reduced } = imageLock(
    { ...manifest, dependencies: { a: '1.0.0' }, peerDependencies: {} },
    {
      packages: {
        'node_modules/a': {
          dependencies: { b: '1' },
          optionalDependencies: { c: '1' },
          peerDependencies: { e: '1', f: '1' },
          peerDependenciesMeta: { e: { optional: true } },
        },
        'node_modules/a/node_modules/b': { dependencies: { d: '1' } },
        'node_modules/b': {},
        'node_modules/c': {},
        'node_modules/d': { dev: true },
        'node_modules/e': {},
        'node_modules/f': {},
      },
    },
  )
  t.same(Object.keys(reduced.packages), [
    '',
    ...['a', 'a/node_modules/b', 'c', 'd', 'f'].map(path => `node_modules/${path}`),
  ])
  t.same(reduced.packages['node_modules/c'], { optional: true })
  t.same(reduced.packages['node_modules/d'], {})
})
