import { Random } from "../../src/core/random.ts";

/** Literals of the advising world: names of one to four words. */
export const departments = [
  ...[
    "electrical engineering",
    "computer science",
    "mathematics",
    "art history",
    "marine biology",
    "civil engineering",
  ],
  ...["philosophy", "environmental policy", "music", "nuclear physics", "linguistics", "urban planning"],
];
const subjects =
  "algorithms,organic chemistry,number theory,renaissance painting,coral reefs,bridge design,ethics,climate law,counterpoint,reactor safety,syntax,public transport,databases,fluid mechanics,topology,sculpture,deep sea ecology,steel structures,logic,water policy,jazz harmony,quantum fields,phonology,city gardens".split(
    ",",
  );
const courseForms = ["introduction to", "advanced", "seminar in", "topics in", "foundations of"];
const givenNames = "maria,john,aiko,samuel,ingrid,pedro,fatou,li,nadia,oscar,ruth,tomas,vera,yusuf,clara,henrik".split(
  ",",
);
const familyNames =
  "van den berg,o hara,de la cruz,smith,nakamura,okafor,lindqvist,st james,rossi,mac leod,jensen,ibarra".split(",");
export const buildings = [
  ...["old main hall", "science tower", "west library", "north campus annex", "lake house", "engineering block"],
  ...["chapel", "music pavilion", "river laboratory", "garden hall"],
];
export const cities = [
  ...["new haven", "san luis obispo", "east lansing", "portland", "santa cruz", "fort collins", "ann arbor", "ithaca"],
  ...["baton rouge", "des moines", "little rock", "grand rapids"],
];
export const terms = ["fall", "winter", "spring", "summer"];
export const days = ["monday", "tuesday", "wednesday", "thursday", "friday"];
export const programs = ["honors", "exchange", "part time", "early admission", "study abroad"];

/** The names that rows and questions share. */
export interface AdvisingNames {
  readonly courses: readonly string[];
  readonly instructors: readonly string[];
  readonly students: readonly string[];
}

export function advisingNames(): AdvisingNames {
  const random = new Random(17);
  const courses = subjects.flatMap((subject) =>
    random
      .shuffle(courseForms)
      .slice(0, 2)
      .map((form) => `${form} ${subject}`),
  );
  const people = random.shuffle(givenNames.flatMap((given) => familyNames.map((family) => `${given} ${family}`)));
  return { courses, instructors: people.slice(0, 40), students: people.slice(40, 160) };
}

/** Eight tables of a university and their rows, as an SQL script. */
export function advisingScript(): string {
  const random = new Random(23);
  const { courses, instructors, students } = advisingNames();
  const rows: string[] = [];
  const insert = (table: string, ...values: (string | number | null)[]) =>
    rows.push(`INSERT INTO ${table} VALUES (${values.map(literal).join(", ")});`);
  departments.forEach((name, index) => {
    insert("department", index + 1, name, random.pick(buildings), 100_000 * (3 + random.below(40)));
  });
  instructors.forEach((name, index) => {
    insert(
      "instructor",
      index + 1,
      name,
      1 + random.below(departments.length),
      1000 * (50 + random.below(90)),
      1985 + random.below(38),
    );
  });
  courses.forEach((title, index) => {
    insert("course", index + 1, title, 1 + random.below(departments.length), 1 + random.below(6), 1 + random.below(5));
    if (index > 4 && random.next() < 0.6) insert("prerequisite", index + 1, 1 + random.below(index));
  });
  students.forEach((name, index) => {
    const program = random.next() < 0.3 ? null : random.pick(programs);
    insert(
      "student",
      index + 1,
      name,
      random.pick(cities),
      1 + random.below(departments.length),
      2018 + random.below(7),
      program,
    );
  });
  for (let section = 1; section <= 140; section++) {
    const place = [random.pick(buildings), random.pick(days), random.pick(terms), 2019 + random.below(6)] as const;
    insert("section", section, 1 + random.below(courses.length), 1 + random.below(instructors.length), ...place);
  }
  for (const [index] of students.entries()) {
    for (const section of random.shuffle(Array.from({ length: 140 }, (_, place) => place + 1)).slice(0, 5)) {
      insert("enrollment", index + 1, section, 1 + random.below(10));
    }
    if (index % 2 === 0) insert("advisor", index + 1, 1 + random.below(instructors.length));
  }
  return `${schema}\nBEGIN;\n${rows.join("\n")}\nCOMMIT;\n`;
}

const schema = `CREATE TABLE department (department_id INTEGER PRIMARY KEY, department_name TEXT, building TEXT, budget INTEGER);
CREATE TABLE instructor (instructor_id INTEGER PRIMARY KEY, instructor_name TEXT, department_id INTEGER, salary INTEGER, hired INTEGER);
CREATE TABLE course (course_id INTEGER PRIMARY KEY, title TEXT, department_id INTEGER, credits INTEGER, level INTEGER);
CREATE TABLE prerequisite (course_id INTEGER, required_id INTEGER);
CREATE TABLE student (student_id INTEGER PRIMARY KEY, student_name TEXT, city TEXT, department_id INTEGER, entered INTEGER, program TEXT);
CREATE TABLE section (section_id INTEGER PRIMARY KEY, course_id INTEGER, instructor_id INTEGER, building TEXT, day TEXT, term TEXT, year INTEGER);
CREATE TABLE enrollment (student_id INTEGER, section_id INTEGER, grade INTEGER);
CREATE TABLE advisor (student_id INTEGER, instructor_id INTEGER);`;

function literal(value: string | number | null): string {
  return value === null ? "NULL" : typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
}
