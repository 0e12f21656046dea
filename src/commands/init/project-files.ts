import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ownManifest, packageFolder } from './own-manifest.ts'

/**
 * Returns the files of a new project by their paths.
 *
 * @param name The name of its folder.
 * @param spec The value of the dependency `headwaters`.
 */
export function projectFiles(name: string, spec: string): ReadonlyMap<string, string> {
  return new Map([
    ['package.json', json(manifestOf(name, spec))],
    ['tsconfig.json', json(compilerOptions)],
    ['.gitignore', 'node_modules\n'],
    ...starterFiles(),
  ])
}

/** Returns the files of the project that are the same for each name. They are an example, which has tests. */
function starterFiles(): [path: string, content: string][] {
  const folder = fileURLToPath(new URL('examples/starter/', packageFolder))
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(path => statSync(join(folder, path)).isFile())
    .toSorted()
    .map(path => [path, readFileSync(join(folder, path), 'utf8')])
}

function manifestOf(name: string, spec: string): object {
  const { engines, devDependencies } = ownManifest()
  const sameMajor = (dependency: string) => `^${devDependencies[dependency]}`
  return {
    name: packageName(name),
    private: true,
    type: 'module',
    engines,
    scripts: {
      start: 'node demo/start.ts',
      dev: 'node demo/start.ts --watch',
      serve: 'headwaters serve aggregates',
      test: 'node --test',
      types: 'tsc',
    },
    dependencies: { headwaters: spec, zod: sameMajor('zod') },
    devDependencies: { '@types/node': sameMajor('@types/node'), typescript: sameMajor('typescript') },
  }
}

/** Node.js runs the sources without compiling them, so the compiler only checks types. */
const compilerOptions = {
  compilerOptions: {
    target: 'es2024',
    module: 'nodenext',
    lib: ['es2024'],
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    noEmit: true,
  },
}

/** Returns a valid name of a package for the name of a folder. */
function packageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  return name === '' || name === 'headwaters' ? 'aggregates' : name
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
