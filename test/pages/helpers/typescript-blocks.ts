import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import * as headwaters from '../../../src/index.ts'
import { childEnvironment } from '../../helpers/child-environment.ts'
import { placeOf, root, type Block } from './pages.ts'

/**
 * The names that fragments may use without a declaration, each with its type. A name of `headwaters` needs no entry.
 * Paths begin at the root of the checkout.
 */
const assumedNames: Readonly<Record<string, string>> = {
  z: "typeof import('zod').z",
  app: "import('fastify').FastifyInstance",
  signal: 'AbortSignal',
  theCatApi: "typeof import('src/clients/the-cat-api.ts').theCatApi",
  catfactNinja: "typeof import('src/clients/catfact-ninja.ts').catfactNinja",
  CatFacts: "typeof import('src/schemas/cat-fact.ts').CatFacts",
  CatFactsQuery: "typeof import('src/schemas/cat-fact.ts').CatFactsQuery",
  MeowFacts: "typeof import('src/schemas/cat-fact.ts').MeowFacts",
  mergeCatFacts: "(...args: any[]) => import('zod').z.infer<typeof CatFacts>",
  Price: "import('zod').ZodType",
}

/** Makes the paths of a type begin at the root of the checkout. */
export const inRoot = (type: string): string => type.replaceAll(/import\('(?=src\/|test\/)/g, `import('${root}/`)

const declaration = /^(?:export )?(?:const|let|function|class) (\w+)/gm

const namesOf = (pattern: RegExp, code: string) => Array.from(code.matchAll(pattern), ([, name]) => name as string)

/** Returns the names that the imports of a fragment bring. */
const importedBy = (code: string) =>
  Array.from(code.matchAll(/^import (?:type )?\{([^}]*)\}/gm)).flatMap(([, names = '']) =>
    names.split(',').map(name => name.trim().split(' ').at(-1) ?? ''),
  )

/** Writes the block as a module that exports what it declares, and imports what other fragments of its page declare. */
function moduleOf(code: string, others: readonly { readonly specifier: string; readonly names: readonly string[] }[]) {
  const declared = namesOf(declaration, code)
  const taken = new Set([...declared, ...importedBy(code)])
  const imports = others.flatMap(({ specifier, names }) => {
    const used = names.filter(name => !taken.has(name) && new RegExp(`\\b${name}\\b`).test(code))
    for (const name of used) taken.add(name)
    return used.length === 0 ? [] : [`import { ${used.join(', ')} } from '${specifier}'`]
  })
  const exported = new Set(namesOf(/^export (?:const|let|function|class) (\w+)/gm, code))
  const unexported = declared.filter(name => !exported.has(name))
  // One line, so that the lines of the block keep their distance.
  return { text: `${imports.join(';')};export { ${unexported.join(', ')} }\n${code}`, names: declared }
}

/** Creates a folder in which `files` are real and every other file of the checkout below `within` is linked. */
function overlay(folder: string, within: string, files: readonly string[]): void {
  mkdirSync(join(folder, within), { recursive: true })
  const own = new Set(files.map(file => relative(within, file).split('/')[0] as string))
  for (const name of readdirSync(join(root, within))) {
    const path = join(within, name)
    if (!own.has(name)) symlinkSync(join(root, path), join(folder, path))
    else if (!files.includes(path))
      overlay(
        folder,
        path,
        files.filter(file => file.startsWith(`${path}/`)),
      )
  }
}

/**
 * Type-checks blocks of TypeScript, those of a page together, against the sources. A block whose fence names a file is
 * that file. Another block is a fragment: it may use the names that the fragments of its page declare, the exports of
 * `headwaters`, and the assumed names.
 *
 * @returns the errors, each with the place of its block
 */
export async function typeErrors(folder: string, blocks: readonly Block[]): Promise<string[]> {
  const blockOf = new Map<string, Block>()
  for (const page of new Set(blocks.map(block => block.page))) {
    const ofPage = blocks.filter(block => block.page === page)
    const home = page.replaceAll(/[/.]/g, '-')
    const named = ofPage.flatMap(({ file }) => file ?? [])
    mkdirSync(join(folder, home), { recursive: true })
    const inSrc = named.filter(file => file.startsWith('src/'))
    if (inSrc.length > 0) overlay(join(folder, home), 'src', inSrc)
    const fragments: { specifier: string; names: readonly string[] }[] = []
    for (const [at, block] of ofPage.entries()) {
      const file = block.file ?? `fragment-${at}.ts`
      // A fragment may use what is declared below it on the page, so all declarations are known first.
      if (block.file === undefined) fragments.push({ specifier: `./${file}`, names: namesOf(declaration, block.code) })
      mkdirSync(dirname(join(folder, home, file)), { recursive: true })
      blockOf.set(`${home}/${file}`, block)
    }
    for (const [at, block] of ofPage.entries()) {
      const file = block.file ?? `fragment-${at}.ts`
      const others = fragments.filter(({ specifier }) => specifier !== `./${file}`)
      writeFileSync(join(folder, home, file), block.file === undefined ? moduleOf(block.code, others).text : block.code)
    }
  }

  const globals = [
    ...Object.keys(headwaters).map(name => [name, `typeof import('src/index.ts').${name}`] as const),
    ...Object.entries(assumedNames),
  ].map(([name, type]) => `  const ${name}: ${inRoot(type)}`)
  writeFileSync(join(folder, 'globals.d.ts'), `export {}\ndeclare global {\n${globals.join('\n')}\n}\n`)

  const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')) as {
    readonly compilerOptions: object
  }
  const paths = {
    headwaters: [join(root, 'src/index.ts')],
    'headwaters/app': [join(root, 'src/app.ts')],
    'headwaters/testing': [join(root, 'src/testing/index.ts')],
    'headwaters/client': [join(root, 'src/client/index.ts')],
    'headwaters/redis': [join(root, 'src/redis/index.ts')],
  }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...compilerOptions, paths }, files: ['globals.d.ts', ...blockOf.keys()] }),
  )
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(root, 'node_modules/typescript/lib/tsc.js'), '-p', folder, '--pretty', 'false'],
    { env: childEnvironment, cwd: folder },
  ).catch((error: { readonly stdout: string }) => error)
  return stdout
    .split('\n')
    .filter(line => /error TS\d+/.test(line))
    .map(line => {
      const [, file = '', at = '0', message = line] = /^(.+?)\((\d+),\d+\): (.*)$/.exec(line) ?? []
      const block = blockOf.get(file)
      if (block === undefined) return line
      return `${placeOf(block)}, line ${Number(at) - (block.file === undefined ? 1 : 0)} of the block: ${message}`
    })
}
