/** One query and the ways to ask for it; `{course}` and the like stand for a literal, `{n:a-b}` for a number. */
export interface AdvisingTemplate {
  readonly sql: string;
  readonly questions: readonly string[];
}

export const template = (sql: string, ...questions: string[]): AdvisingTemplate => ({ sql, questions });

const sectionCourse = "section AS T1 JOIN course AS T2 ON T1.course_id = T2.course_id";
const enrolled =
  "student AS T1 JOIN enrollment AS T2 ON T1.student_id = T2.student_id JOIN section AS T3 ON T2.section_id = T3.section_id";
const enrolledCourse = `${enrolled} JOIN course AS T4 ON T3.course_id = T4.course_id`;
const taught =
  "instructor AS T1 JOIN section AS T2 ON T1.instructor_id = T2.instructor_id JOIN course AS T3 ON T2.course_id = T3.course_id";
const advised =
  "student AS T1 JOIN advisor AS T2 ON T1.student_id = T2.student_id JOIN instructor AS T3 ON T2.instructor_id = T3.instructor_id";
const required =
  "course AS T1 JOIN prerequisite AS T2 ON T1.course_id = T2.course_id JOIN course AS T3 ON T2.required_id = T3.course_id";

/** What joins sections: teaching, taking and requiring courses, advising. */
export const teachingTemplates: readonly AdvisingTemplate[] = [
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
