/** Numbers of SQLite's C interface that the driver uses. */
export const resultCode = {
  ok: 0,
  noMemory: 7,
  interrupt: 9,
  full: 13,
  tooBig: 18,
  constraint: 19,
  auth: 23,
  row: 100,
  done: 101,
} as const;

export const columnType = { integer: 1, float: 2, text: 3, blob: 4 } as const;

export const openFlags = { readWrite: 0x2, create: 0x4, memory: 0x80 } as const;

export const deserializeFlags = { freeOnClose: 1, resizeable: 2 } as const;
export const serializeNoCopy = 1;

export const limitId = {
  length: 0,
  sqlLength: 1,
  expressionDepth: 3,
  attached: 7,
  likePatternLength: 8,
  triggerDepth: 10,
} as const;

export const configOption = { foreignKeys: 1002, triggers: 1003, defensive: 1010, quotedStrings: 1013 } as const;

/** What the authorizer calls an action. */
export const action = {
  createIndex: 1,
  createTable: 2,
  createTempIndex: 3,
  createTempTable: 4,
  createTempTrigger: 5,
  createTempView: 6,
  createTrigger: 7,
  createView: 8,
  delete: 9,
  dropIndex: 10,
  dropTable: 11,
  dropTempIndex: 12,
  dropTempTable: 13,
  dropTempTrigger: 14,
  dropTempView: 15,
  dropTrigger: 16,
  dropView: 17,
  insert: 18,
  pragma: 19,
  read: 20,
  select: 21,
  transaction: 22,
  update: 23,
  attach: 24,
  detach: 25,
  alterTable: 26,
  reindex: 27,
  analyze: 28,
  createVirtualTable: 29,
  dropVirtualTable: 30,
  function: 31,
  savepoint: 32,
  recursive: 33,
} as const;

export const statusMemoryUsed = 0;
export const statusLargestPiece = 5;
export const statementVmSteps = 4;
