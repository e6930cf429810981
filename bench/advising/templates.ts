/** One query and the ways to ask for it; `{course}` and the like stand for a literal, `{n:a-b}` for a number. */
export interface AdvisingTemplate {
  readonly sql: string;
  readonly questions: readonly string[];
}

const S = "SELECT T1.";
const sectionCourse = "section AS T1 JOIN course AS T2 ON T1.course_id = T2.course_id";
const enrolled =
  "student AS T1 JOIN enrollment AS T2 ON T1.student_id = T2.student_id JOIN section AS T3 ON T2.section_id = T3.section_id";
const enrolledCourse = `${enrolled} JOIN course AS T4 ON T3.course_id = T4.course_id`;
const taught =
  "instructor AS T1 JOIN section AS T2 ON T1.instructor_id = T2.instructor_id JOIN course AS T3 ON T2.course_id = T3.course_id";
const withDepartment = "JOIN department AS T2 ON T1.department_id = T2.department_id";
const advised =
  "student AS T1 JOIN advisor AS T2 ON T1.student_id = T2.student_id JOIN instructor AS T3 ON T2.instructor_id = T3.instructor_id";
const required =
  "course AS T1 JOIN prerequisite AS T2 ON T1.course_id = T2.course_id JOIN course AS T3 ON T2.required_id = T3.course_id";

/** Columns that answer "what is the … of …", one template each. */
const lookups: readonly (readonly [
  table: string,
  key: string,
  slot: string,
  column: string,
  words: readonly string[],
])[] = [
  ["course", "title", "course", "credits", ["credits", "number of credits"]],
  ["course", "title", "course", "level", ["level", "difficulty level"]],
  ["instructor", "instructor_name", "instructor", "salary", ["salary", "pay"]],
  ["instructor", "instructor_name", "instructor", "hired", ["hiring year", "year of hiring"]],
  ["student", "student_name", "student", "city", ["home town", "city"]],
  ["student", "student_name", "student", "program", ["program", "study program"]],
  ["student", "student_name", "student", "entered", ["year of entry", "entry year"]],
  ["department", "department_name", "department", "budget", ["budget", "yearly budget"]],
  ["department", "department_name", "department", "building", ["building", "home building"]],
];

const template = (sql: string, ...questions: string[]): AdvisingTemplate => ({ sql, questions });

export const advisingTemplates: readonly AdvisingTemplate[] = [
  ...lookups.map(([table, key, slot, column, [first, second]]) =>
    template(
      `SELECT ${column} FROM ${table} WHERE ${key} = "{${slot}}"`,
      `what is the ${first} of {${slot}}`,
      `give me the ${second} of {${slot}}`,
      `show the ${first} for {${slot}}`,
      `tell me the ${second} of {${slot}} please`,
    ),
  ),
  template(
    'SELECT count(*) FROM student WHERE city = "{city}"',
    "how many students come from {city}",
    "number of students from {city}",
    "how many of our students live in {city}",
    "count the students in {city}",
  ),
  template(
    'SELECT student_name FROM student WHERE city = "{city}"',
    "which students come from {city}",
    "list the students from {city}",
    "who lives in {city}",
    "name all students in {city}",
  ),
  template(
    'SELECT student_name FROM student WHERE city = "{city}" AND program = "{program}"',
    "which {program} students come from {city}",
    "list students from {city} in the {program} program",
    "who in {city} is a {program} student",
  ),
  template(
    'SELECT student_name FROM student WHERE city = "{city}" AND entered > {n:2018-2023}',
    "students from {city} who entered after {n}",
    "which students of {city} started later than {n}",
    "who came from {city} after {n}",
  ),
  template(
    'SELECT count(*) FROM student WHERE program = "{program}"',
    "how many {program} students are there",
    "number of students in the {program} program",
    "count students who are {program}",
  ),
  template(
    "SELECT count(*) FROM student WHERE entered = {n:2018-2024}",
    "how many students entered in {n}",
    "number of students who started in {n}",
    "how big is the class of {n}",
  ),
  template(
    "SELECT student_name FROM student WHERE program IS NULL",
    "which students have no program",
    "list students without a program",
    "who is in no program",
  ),
  template(
    "SELECT city FROM student GROUP BY city ORDER BY count(*) DESC, city LIMIT 1",
    "which city do most students come from",
    "the most common home town of students",
    "what city has the most students",
  ),
  template(
    "SELECT title FROM course WHERE credits > {n:1-5}",
    "which courses have more than {n} credits",
    "list courses worth over {n} credits",
    "courses with more than {n} credits",
    "what classes give more than {n} credits",
  ),
  template(
    "SELECT title FROM course WHERE level = {n:1-5} AND credits = {m:1-6}",
    "level {n} courses with {m} credits",
    "which courses of level {n} have {m} credits",
    "list {m} credit courses at level {n}",
  ),
  template(
    "SELECT title FROM course WHERE credits = (SELECT max(credits) FROM course)",
    "which course has the most credits",
    "what course gives the highest number of credits",
    "the courses with the most credits",
  ),
  template(
    "SELECT title FROM course WHERE credits = (SELECT min(credits) FROM course)",
    "which course has the fewest credits",
    "what course gives the lowest number of credits",
    "the courses with the least credits",
  ),
  template(
    "SELECT count(*) FROM course WHERE level = {n:1-5}",
    "how many level {n} courses are there",
    "number of courses at level {n}",
    "count the courses of level {n}",
  ),
  template(
    "SELECT avg(credits) FROM course",
    "what is the average number of credits",
    "average credits of a course",
    "how many credits does a course have on average",
  ),
  template(
    `${S}title FROM course AS T1 ${withDepartment} WHERE T2.department_name = "{department}"`,
    "what courses does {department} offer",
    "list the courses of the {department} department",
    "which classes are in {department}",
    "show all {department} courses",
  ),
  template(
    `SELECT count(*) FROM course AS T1 ${withDepartment} WHERE T2.department_name = "{department}"`,
    "how many courses does {department} offer",
    "number of courses in {department}",
    "count {department} classes",
  ),
  template(
    `${S}title FROM course AS T1 ${withDepartment} WHERE T2.department_name = "{department}" AND T1.level = {n:1-5}`,
    "which {department} courses are at level {n}",
    "level {n} classes in {department}",
    "list {department} courses of level {n}",
  ),
  template(
    `${S}title FROM course AS T1 ${withDepartment} WHERE T2.department_name = "{department}" AND T1.credits = (SELECT max(T3.credits) FROM course AS T3 JOIN department AS T4 ON T3.department_id = T4.department_id WHERE T4.department_name = "{department}")`,
    "which {department} course has the most credits",
    "what is the biggest course by credits in {department}",
    "the {department} class with the most credits",
  ),
  template(
    `${S}instructor_name FROM instructor AS T1 ${withDepartment} WHERE T2.department_name = "{department}"`,
    "who teaches in {department}",
    "list the instructors of {department}",
    "which professors belong to {department}",
    "name the {department} faculty",
  ),
  template(
    `SELECT count(*) FROM instructor AS T1 ${withDepartment} WHERE T2.department_name = "{department}"`,
    "how many instructors does {department} have",
    "number of professors in {department}",
    "count the faculty of {department}",
  ),
  template(
    `SELECT avg(T1.salary) FROM instructor AS T1 ${withDepartment} WHERE T2.department_name = "{department}"`,
    "what is the average salary in {department}",
    "average pay of {department} instructors",
    "how much do {department} professors earn on average",
  ),
  template(
    `${S}instructor_name FROM instructor AS T1 ${withDepartment} WHERE T2.department_name = "{department}" AND T1.salary = (SELECT max(T3.salary) FROM instructor AS T3 JOIN department AS T4 ON T3.department_id = T4.department_id WHERE T4.department_name = "{department}")`,
    "who earns the most in {department}",
    "best paid instructor of {department}",
    "which {department} professor has the highest salary",
  ),
  template(
    "SELECT instructor_name FROM instructor WHERE salary = (SELECT max(salary) FROM instructor)",
    "who earns the most",
    "which instructor has the highest salary",
    "best paid professor",
    "name the professor with the largest salary",
  ),
  template(
    "SELECT instructor_name FROM instructor WHERE salary > (SELECT avg(salary) FROM instructor)",
    "which instructors earn more than average",
    "who has an above average salary",
    "list professors paid more than the average",
  ),
  template(
    'SELECT instructor_name FROM instructor WHERE salary > (SELECT salary FROM instructor WHERE instructor_name = "{instructor}")',
    "who earns more than {instructor}",
    "instructors with a higher salary than {instructor}",
    "which professors are paid more than {instructor}",
  ),
  template(
    'SELECT count(*) FROM instructor WHERE salary > (SELECT salary FROM instructor WHERE instructor_name = "{instructor}")',
    "how many instructors earn more than {instructor}",
    "number of professors paid more than {instructor}",
  ),
  template(
    "SELECT instructor_name FROM instructor WHERE hired < {n:1990-2020}",
    "which instructors were hired before {n}",
    "professors hired earlier than {n}",
    "who has been here since before {n}",
  ),
  template(
    `SELECT T2.department_name FROM instructor AS T1 ${withDepartment} WHERE T1.instructor_name = "{instructor}"`,
    "which department does {instructor} belong to",
    "what is the department of {instructor}",
    "where does {instructor} work",
  ),
  template(
    `SELECT T2.department_name FROM course AS T1 ${withDepartment} WHERE T1.title = "{course}"`,
    "which department offers {course}",
    "what is the department of {course}",
    "who offers {course}",
  ),
  template(
    `SELECT T2.department_name FROM student AS T1 ${withDepartment} WHERE T1.student_name = "{student}"`,
    "what does {student} study",
    "what is the major of {student}",
    "which department is {student} enrolled at",
  ),
  template(
    `${S}student_name FROM student AS T1 ${withDepartment} WHERE T2.department_name = "{department}" AND T1.city = "{city}"`,
    "which {department} students come from {city}",
    "students of {department} from {city}",
    "who from {city} studies {department}",
  ),
  template(
    `SELECT DISTINCT T1.instructor_name FROM ${taught} WHERE T3.title = "{course}"`,
    "who teaches {course}",
    "which instructors have taught {course}",
    "list the teachers of {course}",
    "what professor teaches {course}",
  ),
  template(
    `SELECT DISTINCT T1.instructor_name FROM ${taught} WHERE T3.title = "{course}" AND T2.year = {n:2019-2024}`,
    "who taught {course} in {n}",
    "teachers of {course} in {n}",
    "which professor gave {course} in the year {n}",
  ),
  template(
    `SELECT DISTINCT T3.title FROM ${taught} WHERE T1.instructor_name = "{instructor}"`,
    "what does {instructor} teach",
    "which courses has {instructor} taught",
    "list the classes of {instructor}",
    "courses taught by {instructor}",
  ),
  template(
    `SELECT DISTINCT T3.title FROM ${taught} WHERE T1.instructor_name = "{instructor}" AND T2.term = "{term}"`,
    "what does {instructor} teach in {term}",
    "{term} courses taught by {instructor}",
    "which {term} classes does {instructor} give",
  ),
  template(
    `SELECT count(DISTINCT T3.course_id) FROM ${taught} WHERE T1.instructor_name = "{instructor}"`,
    "how many courses does {instructor} teach",
    "number of classes taught by {instructor}",
  ),
  template(
    `SELECT T1.building FROM ${sectionCourse} WHERE T2.title = "{course}" AND T1.term = "{term}"`,
    "where is {course} held in {term}",
    "in which building is {course} taught in {term}",
    "location of {course} in the {term} term",
  ),
  template(
    `SELECT T1.day FROM ${sectionCourse} WHERE T2.title = "{course}"`,
    "on which days is {course} taught",
    "when is {course}",
    "what day does {course} meet",
  ),
  template(
    `SELECT DISTINCT T2.title FROM ${sectionCourse} WHERE T1.building = "{building}" AND T1.day = "{day}"`,
    "which courses are held in {building} on {day}",
    "classes in {building} on {day}",
    "what is taught on {day} in {building}",
  ),
  template(
    `SELECT DISTINCT T2.title FROM ${sectionCourse} WHERE T1.term = "{term}" AND T1.year = {n:2019-2024}`,
    "which courses were offered in {term} {n}",
    "list the {term} {n} classes",
    "what was taught in {term} of {n}",
  ),
  template(
    'SELECT count(*) FROM section WHERE building = "{building}"',
    "how many sections meet in {building}",
    "number of sections in {building}",
    "count sections held in {building}",
  ),
  template(
    'SELECT count(*) FROM section WHERE building = "{building}" AND year = {n:2019-2024}',
    "how many sections met in {building} in {n}",
    "number of {n} sections in {building}",
  ),
  template(
    "SELECT building FROM section GROUP BY building ORDER BY count(*) DESC, building LIMIT 1",
    "which building has the most sections",
    "the busiest building",
    "what building holds most classes",
  ),
  template(
    'SELECT department_name FROM department WHERE building = "{building}"',
    "which departments are in {building}",
    "what department is located in {building}",
    "departments housed in {building}",
  ),
  template(
    "SELECT department_name FROM department ORDER BY budget DESC LIMIT {n:2-6}",
    "the {n} departments with the largest budgets",
    "top {n} departments by budget",
    "which {n} departments have the most money",
  ),
  template(
    "SELECT department_name FROM department WHERE budget > (SELECT avg(budget) FROM department)",
    "which departments have an above average budget",
    "departments with more money than average",
  ),
  template(
    `SELECT T3.title FROM ${required} WHERE T1.title = "{course}"`,
    "what are the prerequisites of {course}",
    "what do i need before {course}",
    "which course is required for {course}",
    "what must i take before {course}",
  ),
  template(
    `SELECT T1.title FROM ${required} WHERE T3.title = "{course}"`,
    "which courses require {course}",
    "what can i take after {course}",
    "{course} is a prerequisite of what",
  ),
  template(
    "SELECT title FROM course WHERE course_id NOT IN (SELECT course_id FROM prerequisite)",
    "which courses have no prerequisite",
    "list classes without prerequisites",
    "what can i take without any prerequisite",
  ),
  template(
    `SELECT DISTINCT T1.student_name FROM ${enrolledCourse} WHERE T4.title = "{course}"`,
    "who took {course}",
    "which students are enrolled in {course}",
    "list the students of {course}",
    "students who have taken {course}",
  ),
  template(
    `SELECT count(DISTINCT T1.student_id) FROM ${enrolledCourse} WHERE T4.title = "{course}"`,
    "how many students took {course}",
    "number of students in {course}",
    "count who has taken {course}",
  ),
  template(
    `SELECT DISTINCT T4.title FROM ${enrolledCourse} WHERE T1.student_name = "{student}"`,
    "what courses did {student} take",
    "which classes has {student} taken",
    "list the courses of {student}",
  ),
  template(
    `SELECT DISTINCT T4.title FROM ${enrolledCourse} WHERE T1.student_name = "{student}" AND T2.grade > {n:3-8}`,
    "in which courses did {student} get more than {n}",
    "classes where {student} has a grade above {n}",
    "what did {student} pass with over {n}",
  ),
  template(
    `SELECT max(T2.grade) FROM ${enrolledCourse} WHERE T4.title = "{course}"`,
    "what is the best grade in {course}",
    "highest grade of {course}",
    "top score in {course}",
  ),
  template(
    `SELECT avg(T2.grade) FROM ${enrolled} WHERE T1.student_name = "{student}"`,
    "what is the average grade of {student}",
    "mean grade of {student}",
    "how good is {student} on average",
  ),
  template(
    `SELECT DISTINCT T1.student_name FROM ${enrolledCourse} WHERE T4.title = "{course}" AND T1.city = "{city}" AND T3.term = "{term}"`,
    "which students from {city} took {course} in {term}",
    "who from {city} was in {course} in {term}",
  ),
  template(
    'SELECT student_name FROM student WHERE student_id NOT IN (SELECT T1.student_id FROM enrollment AS T1 JOIN section AS T2 ON T1.section_id = T2.section_id JOIN course AS T3 ON T2.course_id = T3.course_id WHERE T3.title = "{course}") AND city = "{city}"',
    "which students from {city} have not taken {course}",
    "who in {city} never took {course}",
    "students of {city} without {course}",
  ),
  template(
    `SELECT T3.instructor_name FROM ${advised} WHERE T1.student_name = "{student}"`,
    "who advises {student}",
    "who is the advisor of {student}",
    "name of the advisor of {student}",
  ),
  template(
    `SELECT T1.student_name FROM ${advised} WHERE T3.instructor_name = "{instructor}"`,
    "whom does {instructor} advise",
    "which students are advised by {instructor}",
    "list the advisees of {instructor}",
  ),
  template(
    `SELECT count(*) FROM ${advised} WHERE T3.instructor_name = "{instructor}"`,
    "how many students does {instructor} advise",
    "number of advisees of {instructor}",
  ),
  template(
    "SELECT student_name FROM student WHERE student_id NOT IN (SELECT student_id FROM advisor)",
    "which students have no advisor",
    "who is not advised by anyone",
    "students without an advisor",
  ),
];
