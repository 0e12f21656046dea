/** One row of the tables. */
export interface Row {
  /** Number of upstream calls per inbound request. */
  readonly fanout: number
  /** Size of the body of each upstream answer, in bytes. */
  readonly bodyBytes: number
  /** Number of concurrent inbound requests. */
  readonly callers: number
}

/** Defaults of a row. */
export const usual = { bodyBytes: 110, callers: 32 } as const

const bounds = { fanout: [1, 100], bodyBytes: [32, 4_000_000], callers: [1, 1000] } as const
const names = { fanout: 'fan-out', bodyBytes: 'body size', callers: 'number of callers' } as const
const units = { b: 1, kb: 1024 } as const

/** Reads rows such as `5,20+10kb,5+512callers`. The defaults apply to the values that a row does not have. */
export function readRows(text: string, defaults: Omit<Row, 'fanout'>): Row[] {
  return text.split(',').map(part => {
    const [, fanout, size, unit, callers] = /^(\d+)(?:\+(\d+)(b|kb))?(?:\+(\d+)callers)?$/.exec(part) ?? []
    if (fanout === undefined)
      throw new Error(`--fanouts must list fan-outs such as 20, 20+10kb or 5+512callers, got '${part}'`)
    const row = {
      fanout: Number(fanout),
      bodyBytes: size === undefined ? defaults.bodyBytes : Number(size) * units[unit as keyof typeof units],
      callers: callers === undefined ? defaults.callers : Number(callers),
    }
    for (const key of ['fanout', 'bodyBytes', 'callers'] as const) {
      const [min, max] = bounds[key]
      if (row[key] < min || row[key] > max)
        throw new Error(`--fanouts: '${part}' has the ${names[key]} ${row[key]}: use ${min} to ${max}`)
    }
    return row
  })
}

/** Returns the name of a row: its fan-out, and its values that differ from the defaults. */
export function rowLabel({ fanout, bodyBytes, callers }: Row): string {
  const size = bodyBytes % 1024 === 0 ? `${bodyBytes / 1024} KB` : `${bodyBytes} B`
  return [
    String(fanout),
    ...(bodyBytes === usual.bodyBytes ? [] : [size]),
    ...(callers === usual.callers ? [] : [`${callers} callers`]),
  ].join(', ')
}
