import { dirname, join, normalize } from 'node:path'

/**
 * Rooms, and the imports that each may have. A key is a folder (`core/`), with everything below it that has no key of
 * its own, or one file. A value lists what the room may import beside itself: a key, a file, or a folder with all rooms
 * inside of it (`core/**`).
 */
export type House = Readonly<Record<string, readonly string[]>>

/** Source texts by their path, with `/` between folders. */
export type Sources = ReadonlyMap<string, string>

export interface Import {
  readonly file: string
  readonly specifier: string
}

/** A docstring, whose examples import the package. */
const docstring = /^\s*\/\*\*[^]*?\*\/$/gm

/** Returns the imports of a source; type imports count, whichever way they are written. */
export function importsOf(file: string, source: string): Import[] {
  const text = source.replaceAll(docstring, '')
  const from = text.matchAll(/^(?:import|export)\s[^'"]*?\bfrom\s+['"]([^'"]+)['"]/gm)
  const bare = text.matchAll(/\bimport\s*\(?\s*['"]([^'"]+)['"]/g)
  return [...from, ...bare].map(([, specifier = '']) => ({ file, specifier }))
}

export function isOurs({ specifier }: Import): boolean {
  return specifier.startsWith('.')
}

/** Returns the path of the file that is imported. */
export function targetOf({ file, specifier }: Import): string {
  return normalize(join(dirname(file), specifier)).replaceAll('\\', '/')
}

/** Returns the room of a file: the longest key that fits its path. */
export function roomOf(house: House, file: string): string | undefined {
  return Object.keys(house)
    .filter(room => room === file || (room.endsWith('/') && file.startsWith(room)))
    .sort((a, b) => b.length - a.length)[0]
}

/** Returns whether a room may import a file. */
export function isAllowed(house: House, each: Import): boolean {
  const target = targetOf(each)
  const [from, to] = [roomOf(house, each.file), roomOf(house, target)]
  if (from === undefined || to === undefined) return false
  return from === to || (house[from] as readonly string[]).some(name => covers(name, target, to))
}

function covers(name: string, target: string, room: string): boolean {
  return name.endsWith('/**') ? target.startsWith(name.slice(0, -2)) : name === target || name === room
}

/** Returns the imports that the table does not allow. */
export function forbiddenImports(house: House, sources: Sources): string[] {
  return Array.from(sources).flatMap(([file, text]) =>
    importsOf(file, text)
      .filter(each => isOurs(each) && !isAllowed(house, each))
      .map(({ specifier }) => `${file} imports ${specifier}`),
  )
}

/** Returns a cycle among the rooms of the table, or `undefined`. */
export function cycleOfRooms(house: House): string[] | undefined {
  const rooms = Object.keys(house)
  const named = (name: string) =>
    name.endsWith('/**')
      ? rooms.filter(room => room.startsWith(name.slice(0, -2)))
      : [roomOf(house, name) ?? `${name}, which is not in a room`]
  return cycle(new Map(rooms.map(room => [room, (house[room] ?? []).flatMap(named).filter(other => other !== room)])))
}

/** Returns a cycle among the files, type imports included, or `undefined`. */
export function cycleOfFiles(sources: Sources): string[] | undefined {
  return cycle(
    new Map(
      Array.from(sources, ([file, text]) => [
        file,
        importsOf(file, text)
          .filter(each => isOurs(each))
          .map(targetOf),
      ]),
    ),
  )
}

function cycle(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>()
  function walk(node: string, path: readonly string[]): string[] | undefined {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node]
    if (done.has(node)) return undefined
    for (const next of edges.get(node) ?? []) {
      const found = walk(next, [...path, node])
      if (found !== undefined) return found
    }
    done.add(node)
    return undefined
  }
  for (const node of edges.keys()) {
    const found = walk(node, [])
    if (found !== undefined) return found
  }
  return undefined
}
